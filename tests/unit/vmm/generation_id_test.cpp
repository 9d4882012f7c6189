#include "vmm/generation_id.h"

#include <gtest/gtest.h>

#include "vmm/acpi/definition_block.h"
#include "vmm/boot/memory_map.h"
#include "vmm/layout.h"

namespace sheaf::vmm {
namespace {

// What ADDR of the DSDT is: NameOp "ADDR" PackageOp, length, two elements, DWordConst, ZeroOp.
Gpa address_in_dsdt() {
    const auto dsdt = acpi::definition_block();
    const auto name = as_bytes(
        "\x08"
        "ADDR\x12");
    const auto found = std::ranges::search(dsdt, name);
    if (found.empty()) return Gpa{0};
    const auto package = dsdt.subspan(found.end() - dsdt.begin());
    EXPECT_EQ(package[1], std::byte{2}) << "elements";
    EXPECT_EQ(package[2], std::byte{0x0c}) << "a number of 32 bits";
    EXPECT_EQ(package[7], std::byte{0}) << "the upper half";
    return Gpa{load<std::uint32_t>(package.subspan(3))};
}

TEST(GenerationId, IsWhereTheDsdtSays) {
    const auto memory = *GuestMemory::create(1_MiB, GuestMemory::Backing::anonymous);
    const auto id = *make_generation_id();
    ASSERT_TRUE(put_generation_id(memory, id));
    EXPECT_EQ(*memory.read<GenerationId>(address_in_dsdt()), id);
}

TEST(GenerationId, LiesInAReservedPageOfItsOwn) {
    const auto memory = *GuestMemory::create(64_MiB, GuestMemory::Backing::anonymous);
    const auto page = address_in_dsdt();
    EXPECT_EQ(page.value() % 4_KiB, 0u);
    EXPECT_TRUE(page + 4_KiB <= layout::acpi_tables);
    bool reserved = false;
    for (const auto& range : boot::memory_map(memory))
        if (range.start <= page && page + 4_KiB <= range.start + range.size)
            reserved = range.kind == boot::MemoryKind::reserved;
    EXPECT_TRUE(reserved);
}

TEST(GenerationId, IsNewEachTime) {
    const auto first = make_generation_id();
    const auto second = make_generation_id();
    ASSERT_TRUE(first && second);
    EXPECT_NE(*first, *second);
    EXPECT_NE(*first, GenerationId{});
}

TEST(GenerationId, AMachineWithoutThatMemoryIsRefused) {
    const auto memory = *GuestMemory::create(64_KiB, GuestMemory::Backing::anonymous);
    EXPECT_EQ(put_generation_id(memory, {}).error().kind(), Kind::invalid);
}

}  // namespace
}  // namespace sheaf::vmm
