#pragma once

// Why: tests of interrupts and doorbells see what a device asked for, without KVM. Both may be told
// to fail as a host does that has no more.

#include <map>
#include <mutex>
#include <vector>

#include "vmm/doorbell.h"
#include "vmm/interrupts.h"

namespace sheaf::test {

// Keeps what was sent. Any thread.
class FakeMsi final : public vmm::MsiController {
  public:
    explicit FakeMsi(std::size_t limit = 1024) : limit_(limit) {}

    Result<Route> allocate() override {
        const auto lock = std::lock_guard{mutex_};
        if (routes_.size() >= limit_) return fail(Kind::exhausted, "no more routes");
        routes_[++last_];
        return last_;
    }
    void release(Route route) override {
        const auto lock = std::lock_guard{mutex_};
        routes_.erase(route);
    }
    Result<void> set(Route route, const vmm::MsiMessage& message) override {
        const auto lock = std::lock_guard{mutex_};
        routes_.at(route) = message;
        return {};
    }
    void trigger(Route route) override {
        const auto lock = std::lock_guard{mutex_};
        sent_.push_back(routes_.at(route));
    }

    std::size_t routes() const {
        const auto lock = std::lock_guard{mutex_};
        return routes_.size();
    }
    // The messages sent since the last call of this, in order.
    std::vector<vmm::MsiMessage> take_sent() {
        const auto lock = std::lock_guard{mutex_};
        return std::exchange(sent_, {});
    }

  private:
    const std::size_t limit_;
    mutable std::mutex mutex_;
    Route last_ = 0;
    std::map<Route, vmm::MsiMessage> routes_;
    std::vector<vmm::MsiMessage> sent_;
};

// Remembers where eventfds are bound; nobody rings them but the test. Any thread.
class FakeDoorbells final : public vmm::Doorbells {
  public:
    enum class Host { has_room, has_none };
    explicit FakeDoorbells(Host host = Host::has_room) : host_(host) {}

    Result<void> attach(Gpa address, const Fd& event) override {
        const auto lock = std::lock_guard{mutex_};
        if (host_ == Host::has_none) return fail(Kind::exhausted, "no more doorbells");
        if (!bound_.emplace(address.value(), event.get()).second)
            return fail(Kind::exists, "a doorbell is there");
        return {};
    }
    void detach(Gpa address, const Fd& event) override {
        const auto lock = std::lock_guard{mutex_};
        const auto at = bound_.find(address.value());
        if (at == bound_.end() || at->second != event.get()) std::abort();
        bound_.erase(at);
    }

    std::vector<std::uint64_t> places() const {
        const auto lock = std::lock_guard{mutex_};
        std::vector<std::uint64_t> all;
        for (const auto& [address, event] : bound_) all.push_back(address);
        return all;
    }
    // As KVM does on a guest's write: true where somebody hears it.
    bool ring(Gpa address) const;

  private:
    const Host host_;
    mutable std::mutex mutex_;
    std::map<std::uint64_t, int> bound_;
};

}  // namespace sheaf::test
