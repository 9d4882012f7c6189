// Time from the TSC. Its frequency comes from `tsc_khz=` on the command line, else kvm-clock's
// scale, else CPUID 0x40000010, 0x15 or 0x16.
#pragma once

#include <cstdint>

#include "support/command_line.h"
#include "support/hardware.h"

namespace probe {

class Clock {
  public:
    explicit Clock(const CommandLine& command_line);

    uint64_t khz() const { return khz_; }
    uint64_t nanoseconds(uint64_t ticks) const {
        return static_cast<uint64_t>(static_cast<unsigned __int128>(ticks) * scale_ >> 32);
    }
    uint64_t ticks_of_milliseconds(uint64_t milliseconds) const { return milliseconds * khz_; }

  private:
    uint64_t khz_;
    uint64_t scale_;  // nanoseconds per tick, 32 bits after the point
};

// A point in the future to which a poll loop is bound.
class Deadline {
  public:
    Deadline(const Clock& clock, uint64_t milliseconds)
        : end_(read_tsc() + clock.ticks_of_milliseconds(milliseconds)) {}
    bool passed() const { return read_tsc() >= end_; }

  private:
    uint64_t end_;
};

}  // namespace probe
