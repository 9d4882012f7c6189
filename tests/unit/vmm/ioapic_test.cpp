#include "vmm/ioapic.h"

#include <map>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::vmm {
namespace {

class Pins final : public PinRouter {
  public:
    Result<void> set_pin(unsigned pin, std::optional<MsiMessage> message) override {
        messages[pin] = message;
        return {};
    }
    std::map<unsigned, std::optional<MsiMessage>> messages;
};

class IoapicTest : public testing::Test {
  protected:
    void write(std::uint32_t index, std::uint32_t value) {
        ioapic.write(0x00, bytes_of(index));
        ioapic.write(0x10, bytes_of(value));
    }
    std::uint32_t read(std::uint32_t index) {
        ioapic.write(0x00, bytes_of(index));
        auto bytes = std::array<std::byte, 4>{};
        ioapic.read(0x10, bytes);
        return load<std::uint32_t>(bytes);
    }
    Pins pins;
    Ioapic ioapic{pins};
};

TEST_F(IoapicTest, HasTwentyFourPinsAllMasked) {
    EXPECT_EQ(read(1), 0x00170020u);
    for (unsigned pin = 0; pin < 24; ++pin) EXPECT_EQ(read(0x10 + 2 * pin), 0x10000u);
    EXPECT_EQ(read(0x10 + 48), 0u);
}

TEST_F(IoapicTest, AnUnmaskedEntryBecomesAMessage) {
    write(0x11 + 8, 0x02000000);  // destination 2
    write(0x10 + 8, 0x00000931);  // lowest priority, logical, vector 0x31
    ASSERT_TRUE(pins.messages[4]);
    EXPECT_EQ(pins.messages[4]->address, 0xfee02004u);
    EXPECT_EQ(pins.messages[4]->data, 0x4131u);
    write(0x10 + 8, 0x00010931);
    EXPECT_FALSE(pins.messages[4]);
}

TEST_F(IoapicTest, ReadOnlyBitsStayClear) {
    write(0x10, 0xffffffff);
    EXPECT_EQ(read(0x10), 0x1afffu);
}

TEST_F(IoapicTest, WritesBeyondTheLastPinAreDropped) {
    write(0x10 + 48, 0x31);
    write(0xff, 0x31);
    EXPECT_TRUE(pins.messages.empty());
}

}  // namespace
}  // namespace sheaf::vmm
