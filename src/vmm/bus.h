#pragma once

// Why: a guest access that leaves KVM finds its device by address. There is one Bus for ports and
// one for memory; a device knows offsets only, so it can be moved.

#include <cstdint>
#include <shared_mutex>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sheaf::vmm {

// What answers accesses to a range. Called on vCPU threads, on several at once; `data` is 1 to 8
// bytes and may reach neither before nor beyond the range. Never blocks.
class BusHandler {
  public:
    virtual std::string_view name() const = 0;
    virtual void read(std::uint64_t offset, std::span<std::byte> data) = 0;
    virtual void write(std::uint64_t offset, std::span<const std::byte> data) = 0;

  protected:
    ~BusHandler() = default;
};

class Bus {
  public:
    // The handler outlives the bus, or is removed first. Fails with exists where ranges overlap.
    Result<void> add(std::uint64_t start, std::uint64_t length, BusHandler& handler);
    // Removes what was added at `start` for `handler`; nothing happens where it is not there.
    void remove(std::uint64_t start, const BusHandler& handler);

    // Any thread. Reads give all ones, writes are dropped where no device answers; false then.
    bool read(std::uint64_t address, std::span<std::byte> data) const;
    bool write(std::uint64_t address, std::span<const std::byte> data) const;

  private:
    struct Entry {
        std::uint64_t start;
        std::uint64_t length;
        BusHandler* handler;
    };
    struct Hit {
        BusHandler* handler = nullptr;
        std::uint64_t offset = 0;
    };
    Hit find(std::uint64_t address, std::size_t length) const;

    mutable std::shared_mutex mutex_;  // held for the look-up only, never while a handler runs
    std::vector<Entry> entries_;       // sorted by start, disjoint
};

}  // namespace sheaf::vmm
