#include "vmm/bus.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::vmm {
namespace {

class Recorder final : public BusHandler {
  public:
    std::string_view name() const override { return "recorder"; }
    void read(std::uint64_t offset, std::span<std::byte> data) override {
        store_register(data, offset);
    }
    void write(std::uint64_t offset, std::span<const std::byte> data) override {
        last_offset = offset;
        last_value = load_register(data);
    }
    std::uint64_t last_offset = 0;
    std::uint64_t last_value = 0;
};

std::uint64_t read_from(const Bus& bus, std::uint64_t address, std::size_t width = 4) {
    auto bytes = std::array<std::byte, 8>{};
    bus.read(address, std::span{bytes}.first(width));
    return load_register(std::span{bytes}.first(width));
}

TEST(Bus, HandlerSeesOffsets) {
    auto bus = Bus{};
    auto handler = Recorder{};
    ASSERT_TRUE(bus.add(0x1000, 0x100, handler));
    EXPECT_EQ(read_from(bus, 0x1010), 0x10u);
    EXPECT_TRUE(bus.write(0x10fc, bytes_of(std::uint32_t{7})));
    EXPECT_EQ(handler.last_offset, 0xfcu);
    EXPECT_EQ(handler.last_value, 7u);
}

TEST(Bus, NothingThereReadsAllOnes) {
    auto bus = Bus{};
    auto handler = Recorder{};
    ASSERT_TRUE(bus.add(0x1000, 0x10, handler));
    EXPECT_EQ(read_from(bus, 0xfff, 1), 0xffu);
    EXPECT_EQ(read_from(bus, 0x1010, 2), 0xffffu);
    EXPECT_FALSE(bus.write(0x2000, bytes_of(std::uint8_t{1})));
}

TEST(Bus, AccessAcrossTheEndOfARangeIsNotDelivered) {
    auto bus = Bus{};
    auto handler = Recorder{};
    ASSERT_TRUE(bus.add(0x1000, 0x10, handler));
    EXPECT_EQ(read_from(bus, 0x100e, 4), 0xffffffffu);
    EXPECT_FALSE(bus.write(0x100e, bytes_of(std::uint32_t{1})));
}

TEST(Bus, RefusesOverlapsOnEitherSide) {
    auto bus = Bus{};
    auto first = Recorder{};
    auto second = Recorder{};
    ASSERT_TRUE(bus.add(0x1000, 0x100, first));
    for (const auto start : {0xff1u, 0x1000u, 0x10ffu})
        EXPECT_EQ(bus.add(start, 0x10, second).error().kind(), Kind::exists) << start;
    EXPECT_EQ(bus.add(0xf00, 0x1000, second).error().kind(), Kind::exists);
    EXPECT_TRUE(bus.add(0xff0, 0x10, second));
    EXPECT_TRUE(bus.add(0x1100, 0x10, second));
}

TEST(Bus, RefusesEmptyAndWrappingRanges) {
    auto bus = Bus{};
    auto handler = Recorder{};
    EXPECT_EQ(bus.add(0, 0, handler).error().kind(), Kind::invalid);
    EXPECT_EQ(bus.add(~std::uint64_t{0}, 2, handler).error().kind(), Kind::invalid);
    EXPECT_TRUE(bus.add(~std::uint64_t{0}, 1, handler));
}

TEST(Bus, RemoveTakesOnlyTheOwnersRange) {
    auto bus = Bus{};
    auto handler = Recorder{};
    auto stranger = Recorder{};
    ASSERT_TRUE(bus.add(0x1000, 0x10, handler));
    bus.remove(0x1000, stranger);
    EXPECT_EQ(read_from(bus, 0x1004), 4u);
    bus.remove(0x1000, handler);
    EXPECT_EQ(read_from(bus, 0x1004), 0xffffffffu);
}

}  // namespace
}  // namespace sheaf::vmm
