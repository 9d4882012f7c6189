#include <optional>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "devices/legacy/acpi_power.h"
#include "devices/legacy/i8042.h"
#include "devices/legacy/port80.h"
#include "vmm/layout.h"

namespace sheaf::legacy {
namespace {

using How = vmm::Ending::How;

class Sink final : public vmm::EndingSink {
  public:
    void ended(vmm::Ending ending) override { how = ending.how; }
    std::optional<How> how;
};

class Line final : public vmm::InterruptLine {
  public:
    void pulse() override { ++pulses; }
    unsigned pulses = 0;
};

unsigned in(vmm::BusHandler& handler, std::uint64_t offset) {
    std::byte value{};
    handler.read(offset, std::span{&value, 1});
    return std::to_integer<unsigned>(value);
}
void out(vmm::BusHandler& handler, std::uint64_t offset, unsigned value) {
    const auto byte = static_cast<std::byte>(value);
    handler.write(offset, std::span{&byte, 1});
}

TEST(AcpiSleep, PowersOffAndResets) {
    Sink sink;
    AcpiSleep registers{sink};
    out(registers, 1, vmm::layout::acpi_sleep_s5);
    out(registers, 0, 0x20);  // another sleep type
    out(registers, 0, 0x14);  // S5 without its enable bit
    EXPECT_FALSE(sink.how);
    EXPECT_EQ(in(registers, 0), 0u);
    out(registers, 0, vmm::layout::acpi_sleep_s5);
    EXPECT_EQ(sink.how, How::powered_off);
    out(registers, 0, vmm::layout::acpi_reset_value);
    EXPECT_EQ(sink.how, How::reset);
}

TEST(AcpiEvents, ThePowerButtonIsSeenOnce) {
    Line line;
    AcpiEvents events{line};
    EXPECT_EQ(in(events, 0), 0u);
    events.press_power_button();
    events.press_power_button();
    EXPECT_EQ(line.pulses, 2u);
    EXPECT_EQ(in(events, 0), vmm::layout::acpi_event_power_button);
    EXPECT_EQ(in(events, 0), 0u);
}

TEST(I8042, ResetsTheMachine) {
    Sink sink;
    I8042 controller{sink};
    EXPECT_EQ(in(controller, 4) & 0x02, 0u) << "it takes a command at once";
    out(controller, 4, 0xfe);
    EXPECT_EQ(sink.how, How::reset);
    sink.how.reset();
    out(controller, 4, 0xd1);
    out(controller, 0, 0x03);
    EXPECT_FALSE(sink.how) << "the reset line stayed high";
    out(controller, 4, 0xd1);
    out(controller, 0, 0x02);
    EXPECT_EQ(sink.how, How::reset);
}

TEST(I8042, AnswersForItselfButHasNoKeyboard) {
    Sink sink;
    I8042 controller{sink};
    EXPECT_EQ(in(controller, 4), 0x04u) << "nothing to read";
    out(controller, 4, 0xaa);
    EXPECT_EQ(in(controller, 4), 0x05u);
    EXPECT_EQ(in(controller, 0), 0x55u);
    EXPECT_EQ(in(controller, 4), 0x04u);
    out(controller, 4, 0x60);
    out(controller, 0, 0x47);
    out(controller, 4, 0x20);
    EXPECT_EQ(in(controller, 0), 0x47u);
    out(controller, 4, 0xab);
    EXPECT_NE(in(controller, 0), 0u);
    out(controller, 0, 0xf2);  // who is there?
    EXPECT_EQ(in(controller, 4), 0x45u) << "a time-out";
    EXPECT_EQ(in(controller, 0), 0xfeu);
    EXPECT_FALSE(sink.how);
    EXPECT_EQ(in(controller, 1) & 0xc0, 0u) << "port B reports no bus error";
}

TEST(Port80, DoesNothing) {
    Port80 port;
    out(port, 0, 0x42);
    EXPECT_EQ(in(port, 0), 0u);
}

}  // namespace
}  // namespace sheaf::legacy
