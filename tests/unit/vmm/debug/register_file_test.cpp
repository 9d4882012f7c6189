#include "vmm/debug/register_file.h"

#include <regex>

#include <gtest/gtest.h>

namespace sheaf::vmm::debug {
namespace {

constexpr std::size_t rip = 16;
constexpr std::size_t eflags = 17;
constexpr std::size_t cs = 18;
constexpr std::size_t st0 = 24;
constexpr std::size_t ftag = 34;
constexpr std::size_t xmm1 = 41;
constexpr std::size_t mxcsr = 56;
constexpr std::size_t fs_base = 57;
constexpr std::size_t cr3 = 61;

std::vector<std::byte> value(std::uint64_t number, std::size_t size) {
    auto bytes = std::vector<std::byte>(size);
    store_register(bytes, number);
    return bytes;
}
std::uint64_t read(const RegisterFile& file, std::size_t number) {
    return load_register(read_register(file, number));
}

TEST(RegisterFile, TheDescriptionNumbersWhatIsRead) {
    const auto text = target_description();
    const auto pattern =
        std::regex{R"re(<reg name="(\w+)" bitsize="(\d+)" type="\w+" regnum="(\d+)"/>)re"};
    auto names = std::vector<std::string>{};
    for (auto at = std::sregex_iterator{text.begin(), text.end(), pattern};
         at != std::sregex_iterator{}; ++at) {
        EXPECT_EQ(std::stoul((*at)[3]), names.size());
        EXPECT_EQ(std::stoul((*at)[2]), register_size(names.size()) * 8);
        names.push_back((*at)[1]);
    }
    ASSERT_EQ(names.size(), register_count());
    EXPECT_EQ(names[rip], "rip");
    EXPECT_EQ(names[eflags], "eflags");
    EXPECT_EQ(names[cs], "cs");
    EXPECT_EQ(names[st0], "st0");
    EXPECT_EQ(names[ftag], "ftag");
    EXPECT_EQ(names[xmm1], "xmm1");
    EXPECT_EQ(names[mxcsr], "mxcsr");
    EXPECT_EQ(names[fs_base], "fs_base");
    EXPECT_EQ(names[cr3], "cr3");
}

TEST(RegisterFile, EachIsWhereKvmHasIt) {
    auto file = RegisterFile{};
    file.general.rax = 0x1122334455667788;
    file.general.r15 = 15;
    file.general.rip = 0xffffffff81000000;
    file.general.rflags = 0x246;
    file.system.cs.selector = 0x10;
    file.system.cr3 = 0x1234000;
    file.system.fs.base = 0x7f0000001000;
    store(std::span{file.extended}.subspan(24), std::uint32_t{0x1f80});
    store(std::span{file.extended}.subspan(160 + 16), std::uint64_t{0xabcd});
    EXPECT_EQ(read(file, 0), 0x1122334455667788u);
    EXPECT_EQ(read(file, 15), 15u);
    EXPECT_EQ(read(file, rip), 0xffffffff81000000u);
    EXPECT_EQ(read(file, eflags), 0x246u);
    EXPECT_EQ(read(file, cs), 0x10u);
    EXPECT_EQ(read(file, cr3), 0x1234000u);
    EXPECT_EQ(read(file, fs_base), 0x7f0000001000u);
    EXPECT_EQ(read(file, mxcsr), 0x1f80u);
    EXPECT_EQ(read(file, xmm1), 0xabcdu);
    EXPECT_EQ(read_register(file, xmm1).size(), 16u);
}

TEST(RegisterFile, WhatIsWrittenIsNotedForKvm) {
    auto file = RegisterFile{};
    EXPECT_TRUE(write_register(file, 3, value(7, 8)));
    EXPECT_EQ(file.general.rdx, 7u);
    EXPECT_TRUE(file.general_changed);
    EXPECT_FALSE(file.system_changed || file.extended_changed);
    EXPECT_TRUE(write_register(file, xmm1, value(9, 16)));
    EXPECT_TRUE(file.extended_changed);
    EXPECT_EQ(load<std::uint64_t>(std::span{file.extended}.subspan(512)), 2u) << "present: SSE";
    EXPECT_TRUE(write_register(file, fs_base, value(0x1000, 8)));
    EXPECT_TRUE(file.system_changed);
}

TEST(RegisterFile, AProcessorIsNotGivenWhatItWouldNotGoOnWith) {
    auto file = RegisterFile{};
    file.system.efer = 1u << 10;
    file.general.rflags = 2;
    EXPECT_FALSE(write_register(file, rip, value(0x8000000000000000, 8)));
    EXPECT_FALSE(write_register(file, fs_base, value(0x0000800000000000, 8)));
    EXPECT_FALSE(write_register(file, cr3, value(0x1000, 8)));
    EXPECT_FALSE(write_register(file, cs, value(8, 4)));
    EXPECT_FALSE(write_register(file, 0, value(8, 4))) << "four bytes of eight";
    EXPECT_FALSE(write_register(file, register_count(), value(8, 8)));
    EXPECT_FALSE(file.general_changed || file.system_changed || file.extended_changed);
    EXPECT_TRUE(write_register(file, cs, value(0, 4))) << "it is what it was";
    EXPECT_TRUE(write_register(file, eflags, value(0xffffffff, 4)));
    EXPECT_EQ(file.general.rflags, 0x257fd7u) << "without VM, VIF, VIP and reserved bits";
    EXPECT_TRUE(write_register(file, mxcsr, value(0xffffffff, 4)));
    EXPECT_EQ(read(file, mxcsr), 0xffffu);
}

TEST(RegisterFile, TagsAreMadeFromWhatRegistersHold) {
    auto file = RegisterFile{};
    const auto area = std::span{file.extended};
    EXPECT_EQ(read(file, ftag), 0xffffu) << "all empty";
    store(area.subspan(2), static_cast<std::uint16_t>(6 << 11));  // the stack's top is register 6
    store(area.subspan(4), std::uint8_t{0xc0});                   // 6 and 7 are in use
    store(area.subspan(32), 1ull << 63);                          // st0: 1.0
    store(area.subspan(32 + 8), std::uint16_t{0x3fff});
    EXPECT_EQ(read(file, ftag), 0x4fffu) << "6 valid, 7 zero";
    store(area.subspan(48 + 8), std::uint16_t{0x7fff});
    EXPECT_EQ(read(file, ftag), 0x8fffu) << "7 special";
    EXPECT_TRUE(write_register(file, ftag, value(0x3fff, 4)));
    EXPECT_EQ(load<std::uint8_t>(area.subspan(4)), 0x80u);
}

TEST(RegisterFile, AllOfThemGoBackOrNone) {
    auto file = RegisterFile{};
    file.general.rbx = 5;
    auto bytes = read_registers(file);
    EXPECT_TRUE(write_registers(file, bytes));
    EXPECT_FALSE(file.general_changed) << "nothing is different";
    store(std::span{bytes}, std::uint64_t{77});
    bytes.pop_back();
    EXPECT_FALSE(write_registers(file, bytes));
    EXPECT_EQ(file.general.rax, 0u);
    bytes.emplace_back();
    EXPECT_TRUE(write_registers(file, bytes));
    EXPECT_EQ(file.general.rax, 77u);
    bytes.emplace_back();
    EXPECT_FALSE(write_registers(file, bytes));
}

}  // namespace
}  // namespace sheaf::vmm::debug
