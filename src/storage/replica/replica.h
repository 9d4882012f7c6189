#pragma once

// Why: one copy of a volume, as an engine sees it: here, or at the other end of a connection. What
// a copy promises is docs/formats/replica-wire.md, "What a copy promises".

#include <sys/uio.h>

#include <string>
#include <vector>

#include "storage/block.h"
#include "storage/volume/custody.h"

namespace sheaf::replica {

using volume::Stamp;
using Range = volume::Custody::Range;  // bytes, multiples of 4096

// What a copy tells when it is sealed.
struct Sealed {
    Stamp before;  // as it had them until now
    std::uint64_t incarnation = 0;
    std::uint64_t size = 0;
    std::vector<Range> marked;  // where it may differ from other copies; in order, apart
    std::vector<std::string> snapshots;
    bool operator==(const Sealed&) const = default;
};

struct Status {
    Stamp stamp;
    std::uint64_t incarnation = 0;
    std::uint64_t size = 0;
    bool operator==(const Status&) const = default;
};

// One engine's way to one copy. Loop thread only. Every request but seal and status carries the
// stamp that the engine has then. Failures: conflict, another engine was sealed since, for good;
// unavailable and timed_out, the way is broken; all others are the copy's own.
class Replica {
  public:
    Replica() = default;
    Replica(const Replica&) = delete;
    Replica& operator=(const Replica&) = delete;
    virtual ~Replica() = default;

    // The copy takes requests of this epoch, over this way, and no others. `attempt` grows with
    // each seal of one engine, over whatever way.
    virtual io::Task<Sealed> seal(std::uint64_t epoch, std::uint64_t attempt) = 0;
    virtual io::Task<Status> status() = 0;
    // Buffers stay valid until the task ends, and what is written is not changed; ranges as in the
    // document.
    virtual io::Task<void> write(Stamp stamp, std::uint64_t offset,
                                 std::span<std::byte> content) = 0;
    virtual io::Task<void> read(Stamp stamp, std::uint64_t offset, std::span<std::byte> into) = 0;
    virtual io::Task<void> flush(Stamp stamp) = 0;
    virtual io::Task<void> discard(Stamp stamp, Range range) = 0;
    virtual io::Task<void> zero(Stamp stamp, Range range, storage::Space space) = 0;
    virtual io::Task<void> set_generation(Stamp stamp) = 0;
    virtual io::Task<void> snapshot(Stamp stamp, std::string name) = 0;
    virtual io::Task<void> delete_snapshot(Stamp stamp, std::string name) = 0;
    virtual io::Task<void> resize(Stamp stamp, std::uint64_t size) = 0;
    virtual io::Task<std::vector<std::uint64_t>> digests(Stamp stamp, Range range) = 0;
    virtual io::Task<std::uint64_t> moment(Stamp stamp) = 0;
    virtual io::Task<void> settled(Stamp stamp, std::uint64_t moment) = 0;

    // Ends the way: all that waits fails with unavailable, and has ended when this does. Before the
    // replica is destroyed.
    virtual io::Task<void> shut_down() = 0;
};

}  // namespace sheaf::replica
