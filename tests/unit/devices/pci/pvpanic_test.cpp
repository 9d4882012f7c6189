#include "devices/pci/pvpanic.h"

#include <gtest/gtest.h>

#include "vmm/layout.h"

namespace sheaf::pci {
namespace {

struct Sink final : vmm::EndingSink {
    void ended(vmm::Ending ending) override { how = ending.how; }
    std::optional<vmm::Ending::How> how;
};

TEST(Pvpanic, OnlyAPanicEndsTheMachine) {
    vmm::Bus memory;
    Sink sink;
    Pvpanic device{memory, sink};
    ASSERT_TRUE(device.assign_bars(vmm::layout::mmio_window, vmm::layout::ecam));
    const auto events = vmm::layout::mmio_window.value();
    std::uint8_t offered{};
    EXPECT_TRUE(memory.read(events, std::as_writable_bytes(std::span{&offered, 1})));
    EXPECT_EQ(offered, 3);
    memory.write(events, bytes_of(std::uint8_t{2}));  // a crash kernel takes over
    memory.write(events + 1, bytes_of(std::uint8_t{1}));
    EXPECT_FALSE(sink.how);
    memory.write(events, bytes_of(std::uint8_t{1}));
    EXPECT_EQ(sink.how, vmm::Ending::How::panicked);
}

}  // namespace
}  // namespace sheaf::pci
