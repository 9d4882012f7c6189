#pragma once

// Why: kernels write to an unused port to wait for a microsecond, thousands of times while they
// boot. Somebody has to answer so that such a write is not reported as a stray access.

#include "base/bytes.h"
#include "vmm/bus.h"

namespace sheaf::legacy {

// One port that does nothing: 0x80, and 0xed where a guest was told to use that. Any vCPU thread.
class Port80 final : public vmm::BusHandler {
  public:
    static constexpr std::uint64_t port_count = 1;

    std::string_view name() const override { return "port80"; }
    void read(std::uint64_t, std::span<std::byte> data) override { store_register(data, 0); }
    void write(std::uint64_t, std::span<const std::byte>) override {}
};

}  // namespace sheaf::legacy
