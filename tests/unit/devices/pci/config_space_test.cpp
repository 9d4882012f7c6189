#include "devices/pci/config_space.h"

#include <vector>

#include <gtest/gtest.h>

namespace sheaf::pci {
namespace {

constexpr Identity identity = {.vendor = 0x1af4,
                               .device = 0x1042,
                               .subsystem_vendor = 0x1111,
                               .subsystem = 0x2222,
                               .class_code = 0x018099,
                               .revision = 7};

template <class T>
void guest_write(ConfigSpace& space, unsigned offset, T value) {
    space.write(offset, bytes_of(value));
}
template <class T>
T guest_read(const ConfigSpace& space, unsigned offset) {
    T value{};
    space.read(offset, std::as_writable_bytes(std::span{&value, 1}));
    return value;
}

TEST(ConfigSpace, SaysWhoItIs) {
    const ConfigSpace space{identity};
    EXPECT_EQ(guest_read<std::uint32_t>(space, config::vendor), 0x10421af4u);
    EXPECT_EQ(guest_read<std::uint32_t>(space, config::revision), 0x01809907u);
    EXPECT_EQ(guest_read<std::uint32_t>(space, config::subsystem_vendor), 0x22221111u);
    EXPECT_EQ(guest_read<std::uint8_t>(space, config::header_type), 0) << "one function, type 0";
    EXPECT_EQ(guest_read<std::uint8_t>(space, config::capabilities), 0);
    EXPECT_EQ(guest_read<std::uint16_t>(space, config::status), 0) << "no capabilities yet";
}

TEST(ConfigSpace, OnlyCommandAndInterruptLineAreWritableAtFirst) {
    ConfigSpace space{identity};
    const auto before = space;
    for (unsigned at = 0; at < ConfigSpace::size; ++at) guest_write(space, at, std::uint8_t{0xff});
    for (unsigned at = 0; at < ConfigSpace::size; ++at) {
        auto expected = guest_read<std::uint8_t>(before, at);
        if (at == config::command) expected = command_memory | command_bus_master;
        if (at == config::command + 1) expected = command_interrupt_disable >> 8;
        if (at == config::interrupt_line) expected = 0xff;
        EXPECT_EQ(guest_read<std::uint8_t>(space, at), expected) << at;
    }
    for (unsigned at = 0; at < ConfigSpace::size; ++at) guest_write(space, at, std::uint8_t{0});
    for (unsigned at = 0; at < ConfigSpace::size; ++at)
        EXPECT_EQ(guest_read<std::uint8_t>(space, at), guest_read<std::uint8_t>(before, at)) << at;
}

TEST(ConfigSpace, AWriteTouchesItsOwnBytesAndTheirWritableBitsAlone) {
    ConfigSpace space{identity};
    space.set(0x80, std::uint32_t{0xaabbccdd});
    space.set_writable(0x80, std::uint32_t{0x00f0ff00});
    guest_write(space, 0x80, std::uint32_t{0x11223344});
    EXPECT_EQ(guest_read<std::uint32_t>(space, 0x80), 0xaa2b33ddu);
    guest_write(space, 0x81, std::uint16_t{0xffff});  // unaligned
    EXPECT_EQ(guest_read<std::uint32_t>(space, 0x80), 0xaafbffddu);
    guest_write(space, 0x7d, std::uint32_t{0});  // ends in front of the writable byte
    EXPECT_EQ(guest_read<std::uint32_t>(space, 0x80), 0xaafbffddu);
    guest_write(space, 0x80, std::uint64_t{0});
    EXPECT_EQ(guest_read<std::uint64_t>(space, 0x80), 0xaa0b00ddu);
}

TEST(ConfigSpace, TheChainOfCapabilitiesLeadsThroughAllAndEnds) {
    ConfigSpace space{identity};
    const std::array<std::byte, 5> odd = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4},
                                          std::byte{5}};
    const std::vector<unsigned> added = {space.add_capability(9, odd),
                                         space.add_capability(0x11, std::span{odd}.first(2)),
                                         space.add_capability(5, {})};
    EXPECT_EQ(guest_read<std::uint16_t>(space, config::status), 1 << 4);
    std::vector<unsigned> walked;
    for (unsigned at = guest_read<std::uint8_t>(space, config::capabilities);
         at != 0 && walked.size() < 8; at = guest_read<std::uint8_t>(space, at + 1))
        walked.push_back(at);
    EXPECT_EQ(walked, added);
    EXPECT_EQ(guest_read<std::uint8_t>(space, added[0]), 9);
    EXPECT_EQ(guest_read<std::uint8_t>(space, added[1]), 0x11);
    EXPECT_EQ(guest_read<std::uint8_t>(space, added[2]), 5);
    for (unsigned i = 0; i < odd.size(); ++i)
        EXPECT_EQ(guest_read<std::uint8_t>(space, added[0] + 2 + i), i + 1);
    for (const auto at : added) EXPECT_EQ(at % 4, 0u) << "double words (PCI 3.0, 6.7)";
    EXPECT_GE(added[1], added[0] + 2 + odd.size());
}

}  // namespace
}  // namespace sheaf::pci
