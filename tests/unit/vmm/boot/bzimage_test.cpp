#include <fcntl.h>

#include <filesystem>

#include "images.h"

namespace sheaf::vmm::boot {
namespace {

boot_params zero_page(const GuestMemory& memory) {
    auto page = boot_params{};
    const auto bytes = *memory.slice(layout::zero_page, sizeof(page));
    std::memcpy(static_cast<void*>(&page), bytes.data(), sizeof(page));
    return page;
}

TEST(Bzimage, LoadsPayloadAtThePreferredAddress) {
    const auto memory = memory_of(64_MiB);
    const auto image = file_of(Bzimage{}.content());
    const auto entry = load_kernel(memory, {.image = image, .rsdp = Gpa{0xe0000}});
    ASSERT_TRUE(entry) << entry.error().text();
    EXPECT_EQ(entry->protocol, Protocol::linux_64);
    EXPECT_EQ(entry->address, Gpa{0x1000200});
    EXPECT_EQ(entry->parameters, layout::zero_page);
    EXPECT_EQ(text_at(memory, Gpa{0x1000000}, 64_KiB), std::string(64_KiB, 'k'));
    EXPECT_EQ(text_at(memory, Gpa{0x1000000 + 64_KiB}, 1), std::string(1, '\0'));
}

TEST(Bzimage, HonoursAlignment) {
    const auto memory = memory_of(64_MiB);
    auto kernel = Bzimage{};
    kernel.header.pref_address = 0x1234567;
    const auto image = file_of(kernel.content());
    const auto entry = load_kernel(memory, {.image = image});
    ASSERT_TRUE(entry) << entry.error().text();
    EXPECT_EQ(entry->address, Gpa{0x1400200});
}

TEST(Bzimage, ZeroPageTellsWhereThingsAre) {
    const auto memory = memory_of(64_MiB);
    const auto image = file_of(Bzimage{}.content());
    const auto initrd = file_of(std::string(5000, 'i'));
    ASSERT_TRUE(load_kernel(memory, {.image = image,
                                     .initrd = &initrd,
                                     .command_line = "console=ttyS0 quiet",
                                     .rsdp = Gpa{0xe0000}}));
    const auto page = zero_page(memory);
    EXPECT_EQ(page.hdr.type_of_loader, 0xff);
    EXPECT_EQ(page.hdr.header, 0x53726448u);
    EXPECT_EQ(page.hdr.init_size, 0x400000u);
    EXPECT_EQ(page.acpi_rsdp_addr, 0xe0000u);
    EXPECT_EQ(text_at(memory, Gpa{page.hdr.cmd_line_ptr}, 20),
              std::string("console=ttyS0 quiet\0", 20));
    EXPECT_EQ(page.hdr.ramdisk_size, 5000u);
    EXPECT_EQ(page.hdr.ramdisk_image, 64_MiB - 8192);
    EXPECT_EQ(text_at(memory, Gpa{page.hdr.ramdisk_image}, 5000), std::string(5000, 'i'));
}

TEST(Bzimage, HeaderIsCopiedOnlyAsFarAsItReaches) {
    const auto memory = memory_of(64_MiB);
    auto kernel = Bzimage{};
    kernel.header.jump = 0x62eb;               // ends before init_size's successors
    kernel.header.kernel_info_offset = 0xbad;  // beyond that end
    const auto image = file_of(kernel.content());
    ASSERT_TRUE(load_kernel(memory, {.image = image}));
    EXPECT_EQ(zero_page(memory).hdr.kernel_info_offset, 0u);
}

TEST(Bzimage, MemoryMapCoversMemoryOnBothSidesOfTheHole) {
    const auto memory = memory_of(4_GiB);
    const auto image = file_of(Bzimage{}.content());
    ASSERT_TRUE(load_kernel(memory, {.image = image}));
    const auto page = zero_page(memory);
    std::uint64_t ram = 0;
    std::uint64_t previous_end = 0;
    bool ecam_reserved = false;
    for (unsigned i = 0; i < page.e820_entries; ++i) {
        const auto range = page.e820_table[i];
        EXPECT_GE(range.addr, previous_end) << "entry " << i;
        previous_end = range.addr + range.size;
        if (range.type == 1) {
            ram += range.size;
            EXPECT_TRUE(memory.slice(Gpa{range.addr}, range.size)) << "entry " << i;
        }
        ecam_reserved |= range.type == 2 && range.addr == layout::ecam.value() &&
                         range.size == layout::ecam_size;
    }
    EXPECT_EQ(ram, 4_GiB - (layout::high_memory - layout::low_memory_end));
    EXPECT_EQ(previous_end, 5_GiB);
    EXPECT_TRUE(ecam_reserved);
}

TEST(Bzimage, RealModeRestartPullsTheResetRegister) {
    const auto memory = memory_of(64_MiB);
    const auto image = file_of(Bzimage{}.content());
    ASSERT_TRUE(load_kernel(memory, {.image = image}));
    EXPECT_EQ(text_at(memory, Gpa{0xffff0}, 6), std::string("\xba\x00\x06\xb0\x01\xee", 6));
}

TEST(Bzimage, InitrdStaysBelowTheKernelsLimitAndOffTheKernel) {
    const auto memory = memory_of(256_MiB);
    auto kernel = Bzimage{};
    kernel.header.initrd_addr_max = 0x3ffffff;
    const auto image = file_of(kernel.content());
    const auto initrd = file_of(std::string(1_MiB, 'i'));
    ASSERT_TRUE(load_kernel(memory, {.image = image, .initrd = &initrd}));
    EXPECT_EQ(zero_page(memory).hdr.ramdisk_image, 63_MiB);

    // The kernel uses [16 MiB, 20 MiB): 1 MiB fits exactly up to 21 MiB, not up to 20.5 MiB.
    const auto exact = memory_of(21_MiB);
    EXPECT_TRUE(load_kernel(exact, {.image = image, .initrd = &initrd}));
    const auto small = memory_of(20_MiB + 512_KiB);
    const auto refused = load_kernel(small, {.image = image, .initrd = &initrd});
    ASSERT_FALSE(refused);
    EXPECT_PRED2(says, refused.error().text(), "initrd: does not fit");
    EXPECT_PRED2(says, refused.error().text(), "at least 21 MiB");
}

TEST(Bzimage, BadInitrdsAreNamed) {
    const auto memory = memory_of(64_MiB);
    const auto image = file_of(Bzimage{}.content());
    const auto message = [&](const Fd& initrd) {
        return load_kernel(memory, {.image = image, .initrd = &initrd}).error().text();
    };
    EXPECT_EQ(message(file_of("")), "initrd: is empty");
    EXPECT_EQ(message(Fd{::open("/tmp", O_RDONLY)}), "initrd: is a directory, not a file");
    const auto huge = file_of("");
    ASSERT_EQ(::ftruncate(huge.get(), 4LL << 30), 0);
    EXPECT_PRED2(says, message(huge), "initrd: is too big: 4096 MiB");
}

TEST(Bzimage, RefusesWhatItCannotStart) {
    const auto memory = memory_of(64_MiB);
    const auto spoilt = [&](auto spoil) {
        auto kernel = Bzimage{};
        spoil(kernel.header);
        return complaint(kernel.content(), memory);
    };
    EXPECT_PRED2(says, spoilt([](auto& h) { h.xloadflags = 0; }), "32-bit kernel");
    EXPECT_PRED2(says, spoilt([](auto& h) { h.version = 0x20b; }), "boot protocol 2.11");
    EXPECT_PRED2(says, spoilt([](auto& h) { h.loadflags = 0; }), "zImage");
    EXPECT_PRED2(says, spoilt([](auto& h) { h.kernel_alignment = 3; }), "kernel_alignment");
    EXPECT_PRED2(says, spoilt([](auto& h) { h.kernel_alignment = 0; }), "kernel_alignment");
    EXPECT_PRED2(says, spoilt([](auto& h) { h.syssize = 1; }), "syssize 1");
    EXPECT_PRED2(says, spoilt([](auto& h) { h.syssize = 0xffffffff; }), "truncated");
    EXPECT_PRED2(says, spoilt([](auto& h) { h.init_size = 0xffffffff; }), "does not fit");
    EXPECT_PRED2(says, spoilt([](auto& h) { h.pref_address = ~0ULL; }), "loaded at");
    EXPECT_PRED2(says, spoilt([](auto& h) { h.pref_address = 62_MiB; }), "up to 66 MiB");
}

TEST(Bzimage, TruncationIsSeenAtEveryLength) {
    const auto memory = memory_of(64_MiB);
    const auto whole = Bzimage{}.content();
    EXPECT_EQ(complaint(whole, memory), "loaded");
    for (std::size_t length = 0; length < whole.size(); length += length < 2048 ? 1 : 509)
        EXPECT_NE(complaint(whole.substr(0, length), memory), "loaded") << length;
    EXPECT_EQ(complaint(whole.substr(0, whole.size() - 1), memory),
              "is truncated: 66559 bytes, its header says 66560");
}

TEST(Bzimage, CommandLineIsCheckedAgainstTheKernelsLimit) {
    const auto memory = memory_of(64_MiB);
    const auto image = file_of(Bzimage{}.content());
    EXPECT_TRUE(load_kernel(memory, {.image = image, .command_line = std::string(2047, 'x')}));
    const auto longer = std::string(2048, 'x');
    EXPECT_EQ(load_kernel(memory, {.image = image, .command_line = longer}).error().text(),
              "command line: 2048 bytes, this kernel takes at most 2047");
    EXPECT_PRED2(says,
                 load_kernel(memory, {.image = image, .command_line = std::string_view("a\0b", 3)})
                     .error()
                     .text(),
                 "NUL");
}

TEST(Bzimage, LoadsTheHostsOwnKernels) {
    // The variable names another directory of vmlinuz-* files.
    const char* other = ::getenv("SHEAF_TEST_KERNELS");
    const auto folder = std::filesystem::path{other ? other : "/boot"};
    auto tried = 0;
    auto failure = std::error_code{};
    for (const auto& file : std::filesystem::directory_iterator{folder, failure}) {
        if (!file.path().filename().string().starts_with("vmlinuz-")) continue;
        const auto image = Fd{::open(file.path().c_str(), O_RDONLY | O_CLOEXEC)};
        if (!image) continue;
        ++tried;
        const auto memory = memory_of(512_MiB);
        const auto entry = load_kernel(memory, {.image = image, .rsdp = layout::acpi_tables});
        ASSERT_TRUE(entry) << file.path() << ": " << entry.error().text();
        EXPECT_EQ(entry->protocol, Protocol::linux_64);
        EXPECT_GE(entry->address, layout::high_memory);
    }
    if (tried == 0) GTEST_SKIP() << "no readable vmlinuz-* in " << folder;
}

}  // namespace
}  // namespace sheaf::vmm::boot
