// A guest's accesses to PCI configuration space, by ports and by ECAM, of any width and at any
// place: two functions with BARs move about, and the bus does not lose its own ranges.

#include <array>
#include <cstdlib>

#include "devices/pci/pvpanic.h"
#include "devices/pci/root.h"
#include "vmm/layout.h"

namespace sheaf::pci {
namespace {

class Sink final : public vmm::EndingSink {
  public:
    void ended(vmm::Ending) override {}
};

struct Access {
    std::uint8_t kind;
    std::uint8_t width;
    std::uint16_t offset;
    std::uint64_t value;
};

void run(std::span<const std::byte> input) {
    auto ports = vmm::Bus{};
    auto memory = vmm::Bus{};
    auto sink = Sink{};
    auto root = Root{memory};
    if (!root.attach(ports, memory)) std::abort();
    for (int i = 0; i < 2; ++i)
        if (!root.add(std::make_unique<Pvpanic>(memory, sink))) std::abort();
    if (!root.assign_bars()) std::abort();
    auto bytes = std::array<std::byte, 8>{};
    for (; input.size() >= 12; input = input.subspan(12)) {
        const auto access = Access{.kind = load<std::uint8_t>(input),
                                   .width = load<std::uint8_t>(input.subspan(1)),
                                   .offset = load<std::uint16_t>(input.subspan(2)),
                                   .value = load<std::uint64_t>(input.subspan(4))};
        const auto data = std::span{bytes}.first(std::size_t{1} << access.width % 4);
        const auto ecam = vmm::layout::ecam.value() + access.offset;
        const auto port = std::uint64_t{0xcf8} + access.offset % 8;
        store_register(data, access.value);
        switch (access.kind % 5) {
            case 0: memory.write(ecam, data); break;
            case 1: memory.read(ecam, data); break;
            case 2: ports.write(port, data); break;
            case 3: ports.read(port, data); break;
            default: memory.write(access.value & 0xffffffff, data); break;
        }
    }
    // The bridge still answers at its place.
    memory.read(vmm::layout::ecam.value(), std::span{bytes}.first(4));
    if (load<std::uint32_t>(bytes) != 0x0d578086) std::abort();
}

}  // namespace
}  // namespace sheaf::pci

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    sheaf::pci::run(std::as_bytes(std::span{data, size}));
    return 0;
}
