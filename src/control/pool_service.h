#pragma once

// Why: what volumes, images and snapshots need done to a pool, so that their reconcilers can be run
// against a pool that a test makes fail.

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "base/json_tree.h"
#include "io/task.h"
#include "storage/pool/clone.h"

namespace sheaf::control {

// What is known of a volume or an image that is there.
struct DiskFacts {
    std::uint64_t size = 0;  // bytes that a machine sees; of a kernel those of its file
    std::uint64_t used = 0;  // bytes of the host's disk
    std::string sha256;      // of what was imported
    std::string problem;     // what is damaged
};

struct NewDisk {
    std::string name;
    std::uint64_t size = 0;  // bytes
    std::optional<pool::Origin> from;
};

enum class ImageType : std::uint8_t { disk, kernel };
struct NewImage {
    std::string name;
    ImageType type = ImageType::disk;
    std::string url;  // http, https or file
    std::optional<std::string> sha256;
};

// How far an import is. Any thread.
class ImportProgress {
  public:
    struct Now {
        const char* doing = "waiting";
        std::uint64_t done = 0;   // bytes
        std::uint64_t total = 0;  // 0: nobody knows
    };
    void set(const Now& now) {
        const std::lock_guard lock{mutex_};
        now_ = now;
    }
    Now now() const {
        const std::lock_guard lock{mutex_};
        return now_;
    }

  private:
    mutable std::mutex mutex_;
    Now now_;  // under mutex_
};

// Loop thread only, any number of calls at once; names are of the pool. Outlives its tasks.
class PoolService {
  public:
    PoolService() = default;
    PoolService(const PoolService&) = delete;
    PoolService& operator=(const PoolService&) = delete;
    virtual ~PoolService() = default;

    // None where there is no such one.
    virtual io::Task<std::optional<DiskFacts>> find_volume(std::string name) = 0;
    virtual io::Task<std::optional<DiskFacts>> find_image(std::string name, ImageType type) = 0;
    // exists: it is there; not_found: what it begins as is not; invalid, exhausted.
    virtual io::Task<void> create(NewDisk wanted) = 0;
    // Also while a machine has it.
    virtual io::Task<void> grow(std::string volume, std::uint64_t size) = 0;
    // conflict: somebody has it open. One that is gone is no failure.
    virtual io::Task<void> remove_volume(std::string name) = 0;
    virtual io::Task<void> remove_image(std::string name, ImageType type) = 0;
    // One that is there is no failure; not_found: the volume is not there.
    virtual io::Task<void> take_snapshot(std::string volume, std::string name) = 0;
    // One that is gone, with its volume or without, is no failure.
    virtual io::Task<void> remove_snapshot(std::string volume, std::string name) = 0;
    // Where it is cancelled nothing is left of it.
    virtual io::Task<void> import(NewImage wanted, ImportProgress& progress) = 0;
};

// What an object's volume, image or snapshot is called in the pool: as the object, as far as that
// fits, and its uid, so that it is never taken for one of the same name before or after it.
std::string pool_name_of(const Json& object);

}  // namespace sheaf::control
