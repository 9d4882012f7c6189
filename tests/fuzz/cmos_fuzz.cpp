// Any accesses to the clock at any time of day: what it shows while it runs is a time that exists,
// in the format that was asked for.

#include <cstdlib>

#include "devices/legacy/cmos.h"
#include "driver_input.h"

namespace sheaf::legacy {
namespace {

class Clock final : public WallClock {
  public:
    TimePoint now() const override { return TimePoint{std::chrono::microseconds{time}}; }
    std::int64_t time = 0;
};

unsigned get(Cmos& cmos, std::uint8_t index) {
    const auto selected = std::byte{index};
    cmos.write(0, std::span{&selected, 1});
    std::byte value{};
    cmos.read(1, std::span{&value, 1});
    return std::to_integer<unsigned>(value);
}

void check_time(Cmos& cmos) {
    const auto format = get(cmos, 0x0b);
    if (format & 0x80) return;
    struct Field {
        std::uint8_t index;
        unsigned least;
        unsigned most;
    };
    for (const auto& [index, least, most] : std::to_array<Field>({{0x00, 0, 59},
                                                                  {0x02, 0, 59},
                                                                  {0x06, 1, 7},
                                                                  {0x07, 1, 31},
                                                                  {0x08, 1, 12},
                                                                  {0x09, 0, 99},
                                                                  {0x32, 0, 99}})) {
        const auto raw = get(cmos, index);
        const auto value = format & 0x04 ? raw : (raw >> 4) * 10 + (raw & 0xf);
        if (value < least || value > most || (!(format & 0x04) && (raw & 0xf) > 9)) std::abort();
    }
}

void run(test::Input input) {
    Clock clock;
    Cmos cmos{clock,
              {.memory_below_4g = input.number<std::uint64_t>(),
               .memory_above_4g = input.number<std::uint64_t>(),
               .cpus = input.number<std::uint8_t>() + 1U}};
    while (!input.empty()) {
        const auto what = input.number<std::uint8_t>();
        std::array<std::byte, 2> data{};
        const auto part = std::span{data}.first(what & 1 ? 1 + (what >> 1 & 1) : 1);
        const auto offset = part.size() == 2 ? 0 : what >> 2 & 1;
        switch (what >> 4 & 3) {
            case 0: cmos.read(offset, part); break;
            // Within four centuries of 1970.
            case 1: clock.time = input.number<std::int64_t>() % (std::int64_t{1} << 53); break;
            default:
                std::ranges::copy(input.bytes(part.size()), part.begin());
                cmos.write(offset, part);
                break;
        }
        check_time(cmos);
    }
}

}  // namespace
}  // namespace sheaf::legacy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sheaf::legacy::run({data, size});
    return 0;
}
