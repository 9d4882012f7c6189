#pragma once

// Why: one simulated host's way to the store that all of them share. The store itself is always
// right; what may go wrong lies on the way.
//
// The fault model. This and nothing else may happen:
// - A request takes a while to arrive, and its answer a while to come back; requests of one host
//   overlap and may overtake each other.
// - A request may be lost before it arrives (nothing is done) or its answer afterwards (it is
//   done); both are `unavailable` after a while, and look the same.
// - While the store cannot be reached from this host, every request and every watch fails so. A
//   request on its way when that begins is lost on either side of being done.
// - A watch may be late, and may break: it fails with `unavailable` and goes on when asked again.
// - Leases end when their time is over, by the clock of the simulation, reachable or not.

#include <set>

#include "io/sim_random.h"
#include "sim/sim_store.h"

namespace sheaf::sim {

// Loop thread only. The loop and the store outlive it.
class SimKv final : public kv::Kv {
  public:
    struct Faults {
        double lost_request = 0;  // probability for each request
        double lost_answer = 0;   // the same
        double broken_watch = 0;  // for each next() of a watch
        io::Duration least_delay = std::chrono::microseconds{100};
        io::Duration most_delay = std::chrono::milliseconds{2};
        io::Duration patience = std::chrono::seconds{2};  // until what is lost is given up
    };

    SimKv(io::SimLoop& loop, SimStore& store, std::uint64_t seed)
        : loop_(loop), store_(store), random_(seed) {}
    void set_faults(const Faults& faults) { faults_ = faults; }
    // Cuts this host off from the store, or ends that.
    void set_reachable(bool reachable);

    io::Task<std::optional<kv::Record>> get(std::string key) override;
    io::Task<kv::Page> list(kv::ListRequest request) override;
    io::Task<kv::Revision> commit(kv::Transaction transaction) override;
    std::unique_ptr<kv::Watch> watch(std::string prefix, kv::Revision after) override;
    io::Task<kv::Lease> grant(std::chrono::seconds ttl) override;
    io::Task<void> renew(kv::LeaseId lease) override;
    io::Task<void> revoke(kv::LeaseId lease) override;
    io::Task<void> compact(kv::Revision revision) override;
    io::Task<void> shut_down() override;

  private:
    class RemoteWatch;

    io::Task<void> arrive();
    io::Task<void> return_home();
    io::Task<void> take_time();
    io::Task<void> give_up();

    io::SimLoop& loop_;
    SimStore& store_;
    io::SimRandom random_;
    Faults faults_;
    bool reachable_ = true;
    std::uint64_t outages_ = 0;
};

}  // namespace sheaf::sim
