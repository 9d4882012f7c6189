#pragma once

// Why: the engine of a volume tells the store that it is there, and how its copies are doing, for
// as long as its process lives: the record is under a lease.

#include "io/loop.h"
#include "storage/replica/replicated_volume.h"

namespace sheaf::replica {

// Loop thread only; all that is given outlives it.
class Announcement {
  public:
    static constexpr std::chrono::seconds lifetime{10};  // of the record, after a crash

    Announcement(io::Loop& loop, kv::Kv& store, const std::string& volume,
                 const ReplicatedVolume& engine)
        : loop_(loop), store_(store), key_(attachment_key(volume)), engine_(engine) {}

    // Until it is cancelled, or another engine has announced itself. A store that does not answer
    // is asked again.
    io::Task<void> run();
    // Takes back what was said, where the store answers.
    io::Task<void> end();

  private:
    io::Task<void> keep_lease();
    io::Task<void> tell();

    io::Loop& loop_;
    kv::Kv& store_;
    std::string key_;
    const ReplicatedVolume& engine_;
    kv::LeaseId lease_ = 0;
    io::TimePoint renewed_{};
    std::optional<Attachment> told_;
    bool superseded_ = false;
};

}  // namespace sheaf::replica
