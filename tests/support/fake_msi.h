#pragma once

// Why: who raises message-signalled interrupts is tested without KVM: what was sent is a list.

#include <map>
#include <vector>

#include "vmm/interrupts.h"

namespace sheaf::test {

class FakeMsi final : public vmm::MsiController {
  public:
    Result<Route> allocate() override {
        if (routes.size() >= limit) return fail(Kind::exhausted, "no more routes");
        routes[next_] = {};
        return next_++;
    }
    void release(Route route) override { routes.erase(route); }
    Result<void> set(Route route, const vmm::MsiMessage& message) override {
        routes.at(route) = message;
        return {};
    }
    void trigger(Route route) override { sent.push_back(routes.at(route)); }

    std::map<Route, vmm::MsiMessage> routes;
    std::vector<vmm::MsiMessage> sent;
    std::size_t limit = 1000;

  private:
    Route next_ = 1;
};

}  // namespace sheaf::test
