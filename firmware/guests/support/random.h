// Repeatable numbers from a seed (xorshift64*).
#pragma once

#include <cstdint>

namespace probe {

class Random {
  public:
    explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 | 1) {}

    uint64_t next() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545f4914f6cdd1d;
    }
    // Below `bound`, which is not zero.
    uint64_t below(uint64_t bound) { return (next() >> 16) % bound; }

  private:
    uint64_t state_;
};

}  // namespace probe
