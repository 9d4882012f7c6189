#include "images.h"
#include "vmm/boot/pvh.h"

namespace sheaf::vmm::boot {
namespace {

template <class Kernel>
class ElfKernel : public testing::Test {};
using Widths = testing::Types<Elf32, Elf64>;
TYPED_TEST_SUITE(ElfKernel, Widths);

TYPED_TEST(ElfKernel, WithPvhNoteStartsThere) {
    const auto memory = memory_of(64_MiB);
    const auto image = file_of(TypeParam{}.content());
    const auto initrd = file_of("initrd");
    const auto entry = load_kernel(
        memory, {.image = image, .initrd = &initrd, .command_line = "hello", .rsdp = Gpa{0xe0000}});
    ASSERT_TRUE(entry) << entry.error().text();
    EXPECT_EQ(entry->protocol, Protocol::pvh);
    EXPECT_EQ(entry->address, Gpa{0x1000010});
    EXPECT_EQ(entry->parameters, layout::pvh_start_info);
    EXPECT_EQ(text_at(memory, Gpa{0x1000000}, 8192), std::string(8192, 'e'));
    EXPECT_EQ(text_at(memory, Gpa{0x1002000}, 8192), std::string(8192, '\0'));

    const auto info = *memory.read<PvhStartInfo>(layout::pvh_start_info);
    EXPECT_EQ(info.magic, 0x336ec578u);
    EXPECT_EQ(info.version, 1u);
    EXPECT_EQ(info.rsdp, 0xe0000u);
    EXPECT_EQ(text_at(memory, Gpa{info.command_line}, 6), std::string("hello\0", 6));
    ASSERT_EQ(info.module_count, 1u);
    const auto module = *memory.read<PvhModule>(Gpa{info.modules});
    EXPECT_EQ(module.address, 64_MiB - 4_KiB);
    EXPECT_EQ(text_at(memory, Gpa{module.address}, module.size), "initrd");
    ASSERT_GE(info.memory_map_count, 4u);
    const auto third = *memory.read<PvhMemoryRange>(Gpa{info.memory_map + 2 * 24});
    EXPECT_EQ(third.address, 1_MiB);
    EXPECT_EQ(third.size, 63_MiB);
    EXPECT_EQ(third.type, 1u);
}

TYPED_TEST(ElfKernel, RefusesDamagedFiles) {
    const auto memory = memory_of(64_MiB);
    const auto spoilt = [&](auto spoil) {
        auto kernel = TypeParam{};
        spoil(kernel);
        return complaint(kernel.content(), memory);
    };
    EXPECT_EQ(spoilt([](auto&) {}), "loaded");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.header.e_machine = EM_AARCH64; }), "machine 183");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.header.e_ident[EI_DATA] = ELFDATA2MSB; }),
                 "big-endian");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.header.e_ident[EI_CLASS] = 9; }), "class 9");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.header.e_type = ET_DYN; }), "program or library");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.header.e_phentsize = 1; }), "headers of 1 bytes");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.header.e_phnum = 0xffff; }), "65535");
    EXPECT_NE(spoilt([](auto& k) { k.header.e_phoff = static_cast<Elf32_Off>(-8); }), "loaded");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.note.p_type = PT_INTERP; }), "program for Linux");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.note.p_filesz = 0x80000000; }), "ELF notes");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.note.p_filesz = 0x80000; }), "truncated");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.pvh_entry = 0x900000; }), "outside all");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.segment.p_paddr = 0x9000; }), "below 1 MiB");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.segment.p_memsz = 0x7f000000; }), "does not fit");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.segment.p_memsz = 1; }), "more bytes in the file");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.segment.p_filesz = 8193; }), "truncated");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.segment.p_offset = static_cast<Elf32_Off>(-1); }),
                 "truncated");
    EXPECT_PRED2(says, spoilt([](auto& k) { k.segment.p_type = PT_NULL; }), "no segment");
    EXPECT_PRED2(says, spoilt([](auto& k) {
                     k.note = k.segment;
                     k.note.p_paddr += 4096;
                 }),
                 "overlapping");
}

TYPED_TEST(ElfKernel, TruncationIsSeenAtEveryLength) {
    const auto memory = memory_of(64_MiB);
    const auto whole = TypeParam{}.content();
    for (std::size_t length = 0; length < whole.size(); length += 7)
        EXPECT_NE(complaint(whole.substr(0, length), memory), "loaded") << length;
}

TEST(Elf64Kernel, WithoutNoteStartsAtItsEntryWithTheZeroPage) {
    const auto memory = memory_of(64_MiB);
    auto kernel = Elf64{};
    kernel.with_note = Elf64::Note::none;
    const auto image = file_of(kernel.content());
    const auto entry = load_kernel(memory, {.image = image, .rsdp = Gpa{0xe0000}});
    ASSERT_TRUE(entry) << entry.error().text();
    EXPECT_EQ(entry->protocol, Protocol::linux_64);
    EXPECT_EQ(entry->address, Gpa{0x1000200});
    EXPECT_EQ(entry->parameters, layout::zero_page);
    EXPECT_EQ(*memory.read<std::uint64_t>(layout::zero_page + 0x70), 0xe0000u);
    EXPECT_EQ(*memory.read<std::uint32_t>(layout::zero_page + 0x202), 0x53726448u);
}

TEST(Elf64Kernel, SegmentsBeyondTheAddressSpaceAreRefused) {
    const auto memory = memory_of(64_MiB);
    auto kernel = Elf64{};
    kernel.segment.p_paddr = ~0ULL - 100;
    EXPECT_PRED2(says, complaint(kernel.content(), memory), "beyond any memory");
}

TEST(Elf32Kernel, NeedsThePvhNote) {
    const auto memory = memory_of(64_MiB);
    auto kernel = Elf32{};
    kernel.with_note = Elf32::Note::none;
    EXPECT_EQ(complaint(kernel.content(), memory), "is a 32-bit ELF file without a PVH entry note");
}

TEST(Kernel, SaysWhatAFileIsInstead) {
    const auto memory = memory_of(64_MiB);
    EXPECT_EQ(complaint("", memory), "is empty");
    EXPECT_EQ(complaint("x", memory), "is not a kernel: neither a Linux bzImage nor an ELF file");
    EXPECT_PRED2(says, complaint("\x1f\x8b\x08 and so on", memory), "gzip");
    EXPECT_PRED2(says, complaint("070701000000", memory), "initrd");
    EXPECT_PRED2(says, complaint("#!/bin/sh", memory), "script");
    EXPECT_PRED2(says, complaint("MZ" + std::string(100, '\0'), memory), "EFI program");
    EXPECT_PRED2(says, complaint(std::string(100'000, 'z'), memory), "not a kernel");
    EXPECT_PRED2(says, complaint(Elf64{}.content(), memory_of(1_MiB)), "1024 KiB");
}

}  // namespace
}  // namespace sheaf::vmm::boot
