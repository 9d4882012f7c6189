// Any accesses to the registers of the serial port and the keyboard controller, and any typing:
// outside loopback nothing is printed that was not written, and no interrupt is raised without a
// cause to be read.

#include <cstdlib>

#include "devices/legacy/i8042.h"
#include "devices/legacy/uart16550.h"
#include "driver_input.h"
#include "unit/devices/legacy/test_backend.h"

namespace sheaf::legacy {
namespace {

class Line final : public vmm::InterruptLine {
  public:
    void pulse() override { ++pulses; }
    unsigned pulses = 0;
};
class Sink final : public vmm::EndingSink {
  public:
    void ended(vmm::Ending) override {}
};

void access(vmm::BusHandler& handler, std::uint64_t ports, std::uint8_t what, test::Input& input) {
    const auto offset = what % ports;
    const auto length = std::min<std::uint64_t>(1 + (what >> 3) % 4, ports - offset);
    std::array<std::byte, 4> data{};
    const auto part = std::span{data}.first(length);
    if (what & 0x80) {
        std::ranges::copy(input.bytes(length), part.begin());
        handler.write(offset, part);
    } else {
        handler.read(offset, part);
    }
}

unsigned read_cause(Uart16550& port) {
    std::byte cause{};
    port.read(2, std::span{&cause, 1});
    return std::to_integer<unsigned>(cause);
}

void run(test::Input input) {
    Line line;
    Sink sink;
    console::TestBackend backend;
    Uart16550 port{line, backend};
    I8042 controller{sink};
    std::size_t most_printed = 0;
    while (!input.empty()) {
        const auto pulses = line.pulses;
        const auto what = input.number<std::uint8_t>();
        if (what == 0x7f) {
            backend.type(as_text(input.bytes(input.number<std::uint8_t>())));
        } else if (what == 0x7e) {
            access(controller, I8042::port_count, input.number<std::uint8_t>(), input);
        } else {
            access(port, Uart16550::port_count, what, input);
            most_printed += 1;
        }
        if (backend.printed.size() > most_printed) std::abort();
        if (line.pulses > pulses && (read_cause(port) & 1)) std::abort();
    }
}

}  // namespace
}  // namespace sheaf::legacy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sheaf::legacy::run({data, size});
    return 0;
}
