#pragma once

// Why: the membership record as the engine of an epoch sees it: what it was last, and how it is
// changed so that nobody is ever in doubt whether a change was made.

#include "io/loop.h"
#include "storage/replica/membership.h"
#include "storage/replica/mutation.h"
#include "store/kv.h"

namespace sheaf::replica {

// Loop thread only; loop and store outlive it. One call at a time.
class Record {
  public:
    Record(io::Loop& loop, kv::Kv& store, const std::string& volume,
           Mutation mutation = Mutation::none)
        : loop_(loop), store_(store), key_(membership_key(volume)), mutation_(mutation) {}

    const Membership& now() const { return now_; }
    // Reads it. Fails where there is none, or it makes no sense, or the store does not answer.
    io::Task<void> load();
    // Makes it `next`, which was made of now(). Ends when that is certain, however long the store
    // is silent. conflict: another engine has activated the volume, and this one is over.
    // unavailable: somebody else has changed it in this epoch, and now() is what it is now.
    io::Task<void> change(Membership next);
    // Whether the epoch is still this engine's, as far as the store answers: conflict where not.
    io::Task<void> look();

  private:
    io::Task<void> settle_doubt(const Membership& next);

    io::Loop& loop_;
    kv::Kv& store_;
    std::string key_;
    Mutation mutation_;
    Membership now_;
    kv::Revision revision_ = 0;
};

}  // namespace sheaf::replica
