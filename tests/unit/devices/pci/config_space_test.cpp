#include "devices/pci/config_space.h"

#include <gtest/gtest.h>

namespace sheaf::pci {
namespace {

constexpr Identity identity = {.vendor = 0x1af4,
                               .device = 0x1042,
                               .subsystem_vendor = 0x1100,
                               .subsystem = 0x2200,
                               .class_code = 0x010203,
                               .revision = 7};

template <WireStruct T>
T read(const ConfigSpace& space, unsigned offset) {
    T value{};
    space.read(offset, std::as_writable_bytes(std::span{&value, 1}));
    return value;
}

TEST(ConfigSpace, SaysWhatTheFunctionIs) {
    const ConfigSpace space{identity};
    EXPECT_EQ(read<std::uint32_t>(space, config::vendor), 0x10421af4u);
    EXPECT_EQ(read<std::uint32_t>(space, config::revision), 0x01020307u);
    EXPECT_EQ(read<std::uint32_t>(space, config::subsystem_vendor), 0x22001100u);
    EXPECT_EQ(read<std::uint8_t>(space, config::header_type), 0u);
    EXPECT_EQ(read<std::uint16_t>(space, config::status), 0u);
}

TEST(ConfigSpace, AGuestWritesOnlyWritableBits) {
    ConfigSpace space{identity};
    const std::array<std::byte, 256> ones = [] {
        std::array<std::byte, 256> bytes;
        bytes.fill(std::byte{0xff});
        return bytes;
    }();
    space.write(0, ones);
    EXPECT_EQ(read<std::uint32_t>(space, config::vendor), 0x10421af4u);
    EXPECT_EQ(read<std::uint16_t>(space, config::command),
              command_memory | command_bus_master | command_interrupt_disable);
    EXPECT_EQ(read<std::uint8_t>(space, config::interrupt_line), 0xff);
    EXPECT_EQ(read<std::uint32_t>(space, config::bars), 0u);
    EXPECT_EQ(read<std::uint8_t>(space, config::capabilities), 0u);
    const std::array<std::byte, 256> zeroes{};
    space.write(0, zeroes);
    EXPECT_EQ(read<std::uint16_t>(space, config::command), 0u);
    EXPECT_EQ(read<std::uint32_t>(space, config::vendor), 0x10421af4u);
}

TEST(ConfigSpace, APartOfAFieldIsWrittenAlone) {
    ConfigSpace space{identity};
    space.set_writable(0x10, std::uint32_t{0xfffff000});
    space.write(0x12, bytes_of(std::uint16_t{0xc123}));
    EXPECT_EQ(read<std::uint32_t>(space, 0x10), 0xc1230000u);
    space.write(0x11, bytes_of(std::uint8_t{0x7f}));
    EXPECT_EQ(read<std::uint32_t>(space, 0x10), 0xc1237000u);
}

TEST(ConfigSpace, CapabilitiesAreAChain) {
    ConfigSpace space{identity};
    const auto first = space.add_capability(0x09, bytes_of(std::uint32_t{0x04030201}));
    const auto second = space.add_capability(0x11, bytes_of(std::uint8_t{0xaa}));
    EXPECT_EQ(read<std::uint16_t>(space, config::status), 1 << 4);
    EXPECT_EQ(read<std::uint8_t>(space, config::capabilities), first);
    EXPECT_EQ(first, config::first_capability);
    EXPECT_EQ(read<std::uint16_t>(space, first), second << 8 | 0x09);
    EXPECT_EQ(read<std::uint32_t>(space, first + 2), 0x04030201u);
    EXPECT_EQ(second % 4, 0u);
    EXPECT_GE(second, first + 6);
    EXPECT_EQ(read<std::uint16_t>(space, second), 0x0011);  // the last
    EXPECT_EQ(read<std::uint8_t>(space, second + 2), 0xaa);
}

}  // namespace
}  // namespace sheaf::pci
