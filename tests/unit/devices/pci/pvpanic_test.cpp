#include "devices/pci/pvpanic.h"

#include <gtest/gtest.h>

#include "vmm/layout.h"

namespace sheaf::pci {
namespace {

class Endings final : public vmm::EndingSink {
  public:
    void ended(vmm::Ending ending) override { all.push_back(ending.how); }
    std::vector<vmm::Ending::How> all;
};

class PvpanicTest : public testing::Test {
  protected:
    PvpanicTest() { EXPECT_TRUE(device.assign_bars(Gpa{at}, Gpa{at + 4096})); }
    void write(std::uint64_t offset, std::uint8_t value) {
        memory.write(at + offset, bytes_of(value));
    }

    static constexpr std::uint64_t at = vmm::layout::mmio_window.value();
    vmm::Bus memory;
    Endings endings;
    Pvpanic device{memory, endings};
};

TEST_F(PvpanicTest, SaysWhichEventsItKnows) {
    std::uint32_t events = 0;
    memory.read(at, std::as_writable_bytes(std::span{&events, 1}));
    EXPECT_EQ(events, 3u);
    memory.read(at + 4, std::as_writable_bytes(std::span{&events, 1}));
    EXPECT_EQ(events, 0u);
}

TEST_F(PvpanicTest, APanicEndsTheMachineAndNothingElseDoes) {
    write(0, 0);
    write(0, 2);  // a crash kernel takes over: the guest goes on
    write(0, 0xfe);
    write(1, 1);
    EXPECT_TRUE(endings.all.empty());
    write(0, 1);
    EXPECT_EQ(endings.all, std::vector{vmm::Ending::How::panicked});
}

}  // namespace
}  // namespace sheaf::pci
