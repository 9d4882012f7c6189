#pragma once

// Why: the time of day is an input like any other. Who needs it is passed a clock, so that a test
// says what time it is.

#include <chrono>

namespace sheaf {

// Seconds and their fraction since 1970 in UTC, without leap seconds. Any thread.
class WallClock {
  public:
    using TimePoint = std::chrono::sys_time<std::chrono::microseconds>;

    virtual TimePoint now() const = 0;

  protected:
    ~WallClock() = default;
};

// The host's own clock.
class HostClock final : public WallClock {
  public:
    TimePoint now() const override {
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
};

}  // namespace sheaf
