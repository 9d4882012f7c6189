// Any accesses to the registers beside PCI (keyboard controller, delay port, ACPI timer, sleep,
// events, panic device): a machine ends by the values that mean it and by no others, and the timer
// goes on.

#include <cstdlib>

#include "devices/legacy/acpi_power.h"
#include "devices/legacy/i8042.h"
#include "devices/legacy/pm_timer.h"
#include "devices/legacy/port80.h"
#include "devices/pci/pvpanic.h"
#include "devices/pci/root.h"
#include "driver_input.h"
#include "vmm/layout.h"

namespace sheaf {
namespace {

namespace layout = vmm::layout;
using How = vmm::Ending::How;

class Sink final : public vmm::EndingSink {
  public:
    void ended(vmm::Ending ending) override { endings.push_back(ending.how); }
    std::vector<How> endings;
};

class Line final : public vmm::InterruptLine {
  public:
    void pulse() override {}
};

struct Platform {
    Platform() {
        const auto added = {
            ports.add(layout::port_i8042_data, legacy::I8042::port_count, keyboard),
            ports.add(layout::port_delay, legacy::Port80::port_count, delay),
            ports.add(layout::port_pm_timer, legacy::PmTimer::port_count, timer),
            ports.add(layout::port_acpi_sleep, legacy::AcpiSleep::port_count, sleep),
            ports.add(layout::port_acpi_events, legacy::AcpiEvents::port_count, events),
            pci.add(std::make_unique<pci::Pvpanic>(memory, sink)),
            pci.assign_bars()};
        for (const auto& one : added)
            if (!one) std::abort();
    }

    Sink sink;
    Line line;
    vmm::Bus ports;
    vmm::Bus memory;
    legacy::I8042 keyboard{sink};
    legacy::Port80 delay;
    legacy::PmTimer timer;
    legacy::AcpiSleep sleep{sink};
    legacy::AcpiEvents events{line};
    pci::Root pci{memory};
};

// What a write to this port may end the machine with, if anything.
bool may_end(How how, std::uint64_t port, std::uint8_t value) {
    switch (port) {
        case layout::port_acpi_sleep:
            return how == How::powered_off ? value == layout::acpi_sleep_s5
                                           : how == How::reset && value == layout::acpi_reset_value;
        case layout::port_i8042_command: return how == How::reset && value == 0xfe;
        case layout::port_i8042_data: return how == How::reset && !(value & 1);
        default: return false;
    }
}

void run(test::Input input) {
    constexpr auto places = std::to_array<std::uint16_t>(
        {layout::port_i8042_data, layout::port_i8042_command, layout::port_delay,
         layout::port_pm_timer, layout::port_acpi_sleep, layout::port_acpi_events});
    Platform machine;
    std::array<std::byte, 8> bytes{};
    while (!input.empty()) {
        const auto what = input.number<std::uint8_t>();
        const auto data = std::span{bytes}.first(std::size_t{1} << (what & 3));
        const bool writes = what & 4;
        const auto place = static_cast<std::size_t>(what >> 3);
        const auto offset = input.number<std::int8_t>() % 8;
        machine.sink.endings.clear();
        if (what == 0xff) machine.events.press_power_button();
        if (writes) std::ranges::copy(input.bytes(data.size()), bytes.begin());
        const auto first = std::to_integer<std::uint8_t>(bytes[0]);
        if (place >= places.size()) {
            const auto at = layout::mmio_window.value() + input.number<std::uint16_t>() % 4096;
            if (!writes) machine.memory.read(at, data);
            if (writes) machine.memory.write(at, data);
            const bool panics = writes && at == layout::mmio_window.value() && (first & 1);
            if (machine.sink.endings.size() != (panics ? 1u : 0u)) std::abort();
            continue;
        }
        const auto port = static_cast<std::uint64_t>(places.at(place) + offset);
        if (!writes) machine.ports.read(port, data);
        if (writes) machine.ports.write(port, data);
        for (const auto how : machine.sink.endings)
            if (!writes || !may_end(how, port, first)) std::abort();
    }
}

}  // namespace
}  // namespace sheaf

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sheaf::run({data, size});
    return 0;
}
