#pragma once

// Why: who may open a volume, and who may change what a pool has, is decided by locks that end with
// their holder, however it ends. What: docs/formats/pool.md, "Locks".

#include <optional>

#include "storage/pool/directory.h"

namespace sheaf::pool {

// A pool's lock, until it is destroyed. Waits for it.
class [[nodiscard]] PoolLock {
  public:
    static Result<PoolLock> take(const Directory& pool);

  private:
    explicit PoolLock(Fd file) : file_(std::move(file)) {}
    Fd file_;
};

// Who has a volume open, in its own words.
struct Holder {
    int pid = 0;  // 0: it has not said
    std::string verb;

    std::string text() const;  // "process 12 (sheaf run)"
    bool operator==(const Holder&) const = default;
};

// What the text of a lock says; nobody where it is not what a lock says.
Holder parse_holder(std::string_view text);

// A volume's lock, until it and all its duplicates are destroyed.
class VolumeLock {
  public:
    // Takes it, for an engine that does not serve others yet. None where another has it; that one
    // serves, or has ended, by now. Waits while another begins or ends.
    static Result<std::optional<VolumeLock>> take(const Directory& volume, std::string_view verb);

    // The same without waiting, for whoever looks whether it is still held.
    static Result<std::optional<VolumeLock>> take_if_free(const Directory& volume,
                                                          std::string_view verb);

    // Others are served from now on.
    Result<void> begin_serving() const;
    // Others are not served any more; they wait for the end.
    Result<void> end_serving() const;

    // For another process, which then holds it too.
    const Fd& descriptor() const { return file_; }

  private:
    explicit VolumeLock(Fd file) : file_(std::move(file)) {}
    Fd file_;
};

// Whether an engine has the volume, and what its lock says; none where nobody has. Takes nothing.
Result<std::optional<Holder>> holder_of(const Directory& volume);

}  // namespace sheaf::pool
