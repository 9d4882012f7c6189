#pragma once

// Why: a simulation draws everything it does not know from one seed, so that a failing run can be
// had again. Equal seeds give equal numbers with every library, hence no std distributions.

#include <cstdint>
#include <random>

#include "io/operation.h"

namespace sheaf::io {

class SimRandom {
  public:
    explicit SimRandom(std::uint64_t seed) : engine_(seed) {}

    // A number in [0, limit); limit is not 0. The slight bias of the remainder does not matter.
    std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
    bool chance(double probability) {
        return static_cast<double>(engine_() >> 11) * 0x1p-53 < probability;
    }
    // In [least, most].
    Duration between(Duration least, Duration most) {
        const auto width = static_cast<std::uint64_t>((most - least).count()) + 1;
        return least + Duration{static_cast<Duration::rep>(below(width))};
    }

  private:
    std::mt19937_64 engine_;
};

}  // namespace sheaf::io
