#pragma once

// Why: one copy on this host, and its rules: which epoch it belongs to, over which way its engine
// speaks, and that an engine that was superseded changes nothing any more. Rules:
// docs/formats/replica-wire.md, "What a copy promises"; who asks is judged elsewhere.

#include <memory>

#include "io/waiters.h"
#include "storage/replica/mutation.h"
#include "storage/replica/replica.h"
#include "storage/volume/volume.h"

namespace sheaf::replica {

// Loop thread only. The volume was opened as a copy, and outlives this; nobody else changes
// it. Sessions end first.
class LocalReplica {
  public:
    LocalReplica(io::Loop& loop, volume::Volume& volume, Mutation mutation = Mutation::none)
        : loop_(loop),
          volume_(volume),
          mutation_(mutation),
          epoch_(volume.custody().stamp().epoch) {}
    LocalReplica(const LocalReplica&) = delete;
    LocalReplica& operator=(const LocalReplica&) = delete;

    // One more way to it.
    std::unique_ptr<Replica> session();
    volume::Volume& volume() { return volume_; }
    Status status() const;

  private:
    class Session;
    class Use;

    io::Task<Sealed> seal(Session& session, std::uint64_t epoch, std::uint64_t attempt);
    Sealed tell(Stamp before) const;
    // Whether a request of this session counts.
    Result<void> check(const Session& session, Stamp stamp) const;
    Result<void> check_seal(std::uint64_t epoch, std::uint64_t attempt) const;
    io::Task<void> keep(Stamp stamp);

    io::Loop& loop_;
    volume::Volume& volume_;
    Mutation mutation_;
    std::uint64_t epoch_;             // sealed last, or being sealed
    std::uint64_t attempt_ = 0;       // of the seal, in this epoch
    const Session* owner_ = nullptr;  // whose requests count
    std::uint64_t running_ = 0;       // requests that change something
    io::Waiters ended_;               // woken as they end
    io::Waiters kept_;                // one store of a stamp at a time
    bool keeping_ = false;
};

}  // namespace sheaf::replica
