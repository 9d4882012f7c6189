// Any accesses to the registers beside PCI (keyboard controller, delay port, ACPI timer, sleep,
// events, panic device): a machine ends by the values that mean it and by no others, and the timer
// goes on.

#include "devices/legacy/acpi_power.h"
#include "devices/legacy/i8042.h"
#include "devices/legacy/pm_timer.h"
#include "devices/legacy/port80.h"
#include "devices/pci/pvpanic.h"
#include "devices/pci/root.h"
#include "driver_input.h"
#include "message.h"
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
        for (const auto& one : added) test::require(one.has_value());
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

// One access after the other, each of 1, 2, 4 or 8 bytes, to a register or past it.
class Session {
  public:
    explicit Session(test::Input input) : input_(input) {}
    void run() {
        while (!input_.empty()) access();
    }

  private:
    static constexpr auto places = std::to_array<std::uint16_t>(
        {layout::port_i8042_data, layout::port_i8042_command, layout::port_delay,
         layout::port_pm_timer, layout::port_acpi_sleep, layout::port_acpi_events});

    void access();
    void touch_memory(std::span<std::byte> data, bool writes);
    void touch_port(std::uint64_t port, std::span<std::byte> data, bool writes);
    std::uint8_t first() const { return std::to_integer<std::uint8_t>(bytes_.front()); }

    test::Input input_;
    Platform machine_;
    std::array<std::byte, 8> bytes_{};
};

void Session::access() {
    const auto what = input_.number<std::uint8_t>();
    const auto data = std::span{bytes_}.first(std::size_t{1} << (what & 3));
    const bool writes = what & 4;
    const auto place = static_cast<std::size_t>(what >> 3);
    const auto offset = input_.number<std::int8_t>() % 8;
    machine_.sink.endings.clear();
    if (what == 0xff) machine_.events.press_power_button();
    if (writes) std::ranges::copy(input_.bytes(data.size()), bytes_.begin());
    if (place >= places.size()) return touch_memory(data, writes);
    touch_port(static_cast<std::uint64_t>(places.at(place) + offset), data, writes);
}

// The panic device's register is the window's first byte.
void Session::touch_memory(std::span<std::byte> data, bool writes) {
    const auto at = layout::mmio_window.value() + input_.number<std::uint16_t>() % 4096;
    const bool panics = writes && at == layout::mmio_window.value() && (first() & 1);
    if (!writes) machine_.memory.read(at, data);
    if (writes) machine_.memory.write(at, data);
    test::require(machine_.sink.endings.size() == (panics ? 1u : 0u));
}

void Session::touch_port(std::uint64_t port, std::span<std::byte> data, bool writes) {
    if (!writes) machine_.ports.read(port, data);
    if (writes) machine_.ports.write(port, data);
    for (const auto how : machine_.sink.endings)
        test::require(writes && may_end(how, port, first()));
}

}  // namespace
}  // namespace sheaf

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sheaf::Session{{data, size}}.run();
    return 0;
}
