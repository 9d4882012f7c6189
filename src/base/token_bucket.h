#pragma once

// Why: what comes from outside without bound (console bytes, log lines, requests) is let through
// at a rate, with bursts. The time is passed in, so a simulated clock drives it as well.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace sheaf {

// Tokens are whatever the user counts: bytes, lines. One thread at a time.
class TokenBucket {
  public:
    using TimePoint = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;

    // Starts full. `rate` is tokens a second, `burst` the most that can be saved up; both > 0.
    TokenBucket(std::uint64_t rate, std::uint64_t burst, TimePoint now)
        : rate_(static_cast<double>(rate)),
          burst_(static_cast<double>(burst)),
          level_(burst_),
          filled_(now) {}

    // Takes up to `wanted` whole tokens and gives how many it got.
    std::uint64_t take(std::uint64_t wanted, TimePoint now) {
        fill(now);
        const auto taken = std::min(wanted, static_cast<std::uint64_t>(level_));
        level_ -= static_cast<double>(taken);
        return taken;
    }

    // How long after `now` `wanted` tokens will be there (at most the burst); zero where they are.
    Duration delay(std::uint64_t wanted, TimePoint now) {
        fill(now);
        const auto missing = std::min(static_cast<double>(wanted), burst_) - level_;
        if (missing <= 0) return Duration::zero();
        return std::chrono::ceil<Duration>(std::chrono::duration<double>{missing / rate_});
    }

  private:
    // A clock that went back adds nothing.
    void fill(TimePoint now) {
        if (now <= filled_) return;
        const auto elapsed = std::chrono::duration<double>{now - filled_}.count();
        level_ = std::min(burst_, level_ + elapsed * rate_);
        filled_ = now;
    }

    double rate_;
    double burst_;
    double level_;
    TimePoint filled_;
};

}  // namespace sheaf
