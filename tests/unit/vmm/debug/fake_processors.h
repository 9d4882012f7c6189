#pragma once

// A machine of two processors that do what a test says, in memory that is real.

#include <deque>

#include "vmm/debug/processors.h"
#include "vmm/ending.h"

namespace sheaf::vmm::debug {

class FakeProcessors final : public Processors {
  public:
    Debuggee& debuggee() override { return debuggee_; }
    io::Task<void> halt() override {
        ++halts;
        in_guest = false;
        co_return;
    }
    void resume(std::span<const Go> go) override {
        last_go.assign(go.begin(), go.end());
        in_guest = true;
        ++resumes;
    }
    std::optional<Stop> next_stop() override {
        if (stops_.empty()) return std::nullopt;
        const auto stop = stops_.front();
        stops_.pop_front();
        return stop;
    }
    void tell(io::Event* news) override { news_ = news; }

    void stop(const Stop& stop) {
        stops_.push_back(stop);
        if (news_) news_->set();
    }

    GuestMemory memory = *GuestMemory::create(64_KiB, GuestMemory::Backing::anonymous);
    bool in_guest = true;
    int halts = 0;
    int resumes = 0;
    std::vector<Go> last_go;

  private:
    Debuggee debuggee_{memory, 2};
    std::deque<Stop> stops_;
    io::Event* news_ = nullptr;
};

class FakeSink final : public EndingSink {
  public:
    void ended(Ending ending) override { endings.push_back(std::move(ending)); }
    std::vector<Ending> endings;
};

}  // namespace sheaf::vmm::debug
