#include "devices/legacy/pm_timer.h"

#include "base/bytes.h"

namespace sheaf::legacy {

// Scaled in two parts: nanoseconds times the frequency overflow after an hour and a half.
void PmTimer::read(std::uint64_t offset, std::span<std::byte> data) {
    constexpr std::uint64_t second = 1'000'000'000;
    const auto elapsed = static_cast<std::uint64_t>(now_().count());
    const auto ticks = elapsed / second * hertz + elapsed % second * hertz / second;
    store_register(data, static_cast<std::uint32_t>(ticks) >> 8 * offset);
}

}  // namespace sheaf::legacy
