#include "sim/sim_kv.h"

#include "store/limits.h"

namespace sheaf::sim {

using kv::Record;
using kv::Revision;

class SimKv::RemoteWatch final : public kv::Watch {
  public:
    RemoteWatch(SimKv& kv, std::string prefix, Revision after)
        : kv_(kv), prefix_(std::move(prefix)), position_(after) {}

    io::Task<std::vector<kv::Change>> next() override {
        co_await kv_.arrive();
        if (kv_.random_.chance(kv_.faults_.broken_watch)) co_await kv_.give_up();
        while (true) {
            const auto outages = kv_.outages_;
            const auto revision = kv_.store_.revision();
            auto found = co_await kv_.store_.changes(prefix_, position_);
            if (!found.empty()) {
                co_await kv_.take_time();
                if (outages != kv_.outages_) co_await kv_.give_up();
                position_ = std::max(position_, revision);
                co_return found;
            }
            position_ = std::max(position_, revision);
            co_await kv_.store_.changed().wait();
            if (outages != kv_.outages_) co_await kv_.give_up();
        }
    }
    Revision position() const override { return position_; }

  private:
    SimKv& kv_;
    std::string prefix_;
    Revision position_;
};

void SimKv::set_reachable(bool reachable) {
    if (reachable_ && !reachable) ++outages_;
    reachable_ = reachable;
    store_.changed().wake();
}

io::Task<void> SimKv::take_time() {
    co_await loop_.sleep(random_.between(faults_.least_delay, faults_.most_delay));
}

io::Task<void> SimKv::give_up() {
    co_await loop_.sleep(faults_.patience);
    co_await fail(Kind::unavailable, "the store does not answer");
}

io::Task<void> SimKv::arrive() {
    const auto outages = outages_;
    co_await take_time();
    if (!reachable_ || outages != outages_ || random_.chance(faults_.lost_request))
        co_await give_up();
}

io::Task<void> SimKv::return_home() {
    const auto outages = outages_;
    co_await take_time();
    if (!reachable_ || outages != outages_ || random_.chance(faults_.lost_answer))
        co_await give_up();
}

io::Task<std::optional<Record>> SimKv::get(std::string key) {
    co_await kv::check_key(key);
    co_await arrive();
    auto found = store_.get(key);
    co_await return_home();
    co_return found;
}

io::Task<kv::Page> SimKv::list(kv::ListRequest request) {
    co_await kv::check_list(request);
    co_await arrive();
    auto page = store_.list(request);
    co_await return_home();
    co_return co_await std::move(page);
}

io::Task<Revision> SimKv::commit(kv::Transaction transaction) {
    co_await kv::check_transaction(transaction);
    co_await arrive();
    auto revision = store_.commit(transaction);
    co_await return_home();
    co_return co_await std::move(revision);
}

std::unique_ptr<kv::Watch> SimKv::watch(std::string prefix, Revision after) {
    return std::make_unique<RemoteWatch>(*this, std::move(prefix), after);
}

io::Task<kv::Lease> SimKv::grant(std::chrono::seconds ttl) {
    co_await kv::check_ttl(ttl);
    co_await arrive();
    const kv::Lease lease{store_.grant(ttl), ttl};
    co_await return_home();
    co_return lease;
}

io::Task<void> SimKv::renew(kv::LeaseId lease) {
    co_await arrive();
    auto renewed = store_.renew(lease);
    co_await return_home();
    co_await std::move(renewed);
}

io::Task<void> SimKv::revoke(kv::LeaseId lease) {
    co_await arrive();
    auto revoked = store_.revoke(lease);
    co_await return_home();
    co_await std::move(revoked);
}

io::Task<void> SimKv::compact(Revision revision) {
    co_await arrive();
    auto compacted = store_.compact(revision);
    co_await return_home();
    co_await std::move(compacted);
}

io::Task<void> SimKv::shut_down() {
    co_return;
}

}  // namespace sheaf::sim
