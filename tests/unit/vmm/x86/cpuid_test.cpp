#include "vmm/x86/cpuid.h"

#include <algorithm>
#include <optional>
#include <set>

#include <gtest/gtest.h>

#include "tables.h"

namespace sheaf::vmm::x86 {
namespace {

using Table = std::vector<kvm_cpuid_entry2>;

std::optional<kvm_cpuid_entry2> find(const Table& table, std::uint32_t function,
                                     std::uint32_t index = 0) {
    const auto at = std::ranges::find_if(table, [&](const auto& entry) {
        return entry.function == function && entry.index == index;
    });
    return at == table.end() ? std::nullopt : std::optional{*at};
}

constexpr std::uint32_t bits(std::uint32_t word, unsigned high, unsigned low) {
    return (word >> low) & ((1U << (high - low + 1)) - 1);
}

class BothVendors : public testing::TestWithParam<Table (*)()> {
  protected:
    Table make(const Processor& processor) const { return make_cpuid(GetParam()(), processor); }
};
INSTANTIATE_TEST_SUITE_P(Cpuid, BothVendors, testing::Values(intel_table, amd_table));

TEST_P(BothVendors, KeepVendorAndFamily) {
    const auto table = make({.index = 1, .count = 2});
    const auto supported = GetParam()();
    EXPECT_EQ(find(table, 0)->ebx, find(supported, 0)->ebx);
    EXPECT_EQ(find(table, 1)->eax, find(supported, 1)->eax);
}

TEST_P(BothVendors, ShowAHypervisorAndAnX2Apic) {
    const auto features = *find(make({}), 1);
    EXPECT_EQ(bits(features.ecx, 31, 31), 1u);
    EXPECT_EQ(bits(features.ecx, 21, 21), 1u);
    EXPECT_EQ(find(make({}), 0x40000000)->ebx, 0x4b4d564bu);  // "KVMK"
}

TEST_P(BothVendors, OfferTheDeadlineTimerOnlyWhereKvmHasIt) {
    EXPECT_EQ(bits(find(make({.tsc_deadline = false}), 1)->ecx, 24, 24), 0u);
    EXPECT_EQ(bits(find(make({.tsc_deadline = true}), 1)->ecx, 24, 24), 1u);
}

TEST_P(BothVendors, HideWhatIsNotOffered) {
    auto supported = GetParam()();
    for (auto& entry : supported) {  // a host that has everything
        if (entry.function == 1) entry.ecx = entry.edx = ~0U;
        if (entry.function == 7 && entry.index == 0) entry.ebx = entry.ecx = entry.edx = ~0U;
        if (entry.function == 0x80000001) entry.ecx = ~0U;
    }
    std::erase_if(supported, [](const auto& entry) { return entry.function == 0x80000007; });
    supported.push_back(leaf(0x80000007, 0, ~0U, ~0U, ~0U, ~0U));
    supported.push_back(leaf(0xa, 0, ~0U, ~0U, ~0U, ~0U));
    supported.push_back(leaf(0x12, 1, ~0U, ~0U, ~0U, ~0U));
    const auto table = make_cpuid(supported, {});
    EXPECT_EQ(find(table, 1)->ecx & (1U << 5), 0u) << "VMX";
    EXPECT_EQ(find(table, 1)->ecx & (1U << 15), 0u) << "PDCM";
    EXPECT_EQ(find(table, 7)->ecx & (1U << 5), 0u) << "WAITPKG";
    EXPECT_EQ(find(table, 7)->ebx & (1U << 2), 0u) << "SGX";
    EXPECT_EQ(find(table, 0xa)->eax, 0u) << "performance counters";
    EXPECT_EQ(find(table, 0x12, 1)->eax, 0u) << "SGX";
    EXPECT_EQ(find(table, 0x80000001)->ecx & (1U << 2), 0u) << "SVM";
    EXPECT_EQ(find(table, 0x80000007)->edx, 1U << 8) << "invariant TSC alone";
    const auto svm = find(table, 0x8000000a);
    EXPECT_TRUE(!svm || (svm->eax | svm->ebx | svm->edx) == 0) << "SVM";
}

TEST_P(BothVendors, EachProcessorHasItsOwnId) {
    auto ids = std::set<std::uint32_t>{};
    for (unsigned index = 0; index < 6; ++index) {
        const auto features = *find(make({.index = index, .count = 6}), 1);
        EXPECT_EQ(bits(features.ebx, 31, 24), index);
        EXPECT_EQ(bits(features.ebx, 23, 16), 8u);
        EXPECT_EQ(bits(features.edx, 28, 28), 1u);
        ids.insert(bits(features.ebx, 31, 24));
    }
    EXPECT_EQ(ids.size(), 6u);
    EXPECT_EQ(bits(find(make({}), 1)->edx, 28, 28), 0u) << "one processor has no siblings";
}

TEST_P(BothVendors, NoSubleafIsThereTwice) {
    auto seen = std::set<std::pair<std::uint32_t, std::uint32_t>>{};
    for (const auto& entry : make({.index = 3, .count = 4, .tsc_khz = 2'000'000}))
        EXPECT_TRUE(seen.emplace(entry.function, entry.index).second)
            << std::hex << entry.function << "." << entry.index;
}

TEST_P(BothVendors, KvmLeavesTellTimingAndLongDestinations) {
    const auto plain = make({});
    EXPECT_FALSE(find(plain, 0x40000010));
    EXPECT_EQ(find(plain, 0x40000001)->eax & (1U << 15), 0u);
    const auto table = make({.extended_destination = true, .tsc_khz = 2'100'000});
    EXPECT_EQ(find(table, 0x40000000)->eax, 0x40000010u);
    EXPECT_EQ(find(table, 0x40000010)->eax, 2'100'000u);
    EXPECT_EQ(find(table, 0x40000001)->eax & (1U << 15), 1U << 15);
}

TEST(IntelCpuid, ExtendedTopologyIsCoresOfOnePackage) {
    const auto table = make_cpuid(intel_table(), {.index = 259, .count = 300});
    for (const std::uint32_t function : {0xbU, 0x1fU}) {
        const auto thread = *find(table, function, 0);
        EXPECT_EQ(thread.eax, 0u);
        EXPECT_EQ(thread.ebx, 1u);
        EXPECT_EQ(thread.ecx, 0x100u);
        const auto core = *find(table, function, 1);
        EXPECT_EQ(core.eax, 9u);
        EXPECT_EQ(core.ebx, 300u);
        EXPECT_EQ(core.ecx, 0x201u);
        const auto end = *find(table, function, 2);
        EXPECT_EQ(end.ebx, 0u);
        EXPECT_EQ(end.ecx, 2u);
        for (const auto& level : {thread, core, end}) {
            EXPECT_EQ(level.edx, 259u);
            EXPECT_TRUE(level.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
        }
    }
}

TEST(IntelCpuid, CachesBelowTheThirdBelongToOneCore) {
    const auto table = make_cpuid(intel_table(), {.index = 0, .count = 4});
    for (const std::uint32_t index : {0U, 1U, 2U})
        EXPECT_EQ(bits(find(table, 4, index)->eax, 25, 14), 0u) << index;
    EXPECT_EQ(bits(find(table, 4, 3)->eax, 25, 14), 3u);
    EXPECT_EQ(bits(find(table, 4, 0)->eax, 31, 26), 3u);
    EXPECT_EQ(find(table, 4, 0)->ebx, find(intel_table(), 4, 0)->ebx) << "its size is the host's";
}

TEST(AmdCpuid, TopologyExtensionsDescribeTheMachine) {
    const auto table = make_cpuid(amd_table(), {.index = 2, .count = 3});
    EXPECT_EQ(bits(find(table, 0x80000001)->ecx, 22, 22), 1u);
    EXPECT_EQ(bits(find(table, 0x80000001)->ecx, 1, 1), 1u);
    EXPECT_EQ(bits(find(table, 0x80000008)->ecx, 7, 0), 2u);
    EXPECT_EQ(bits(find(table, 0x80000008)->ecx, 15, 12), 2u);
    EXPECT_EQ(find(table, 0x80000008)->eax, find(amd_table(), 0x80000008)->eax);
    const auto topology = *find(table, 0x8000001e);
    EXPECT_EQ(topology.eax, 2u);
    EXPECT_EQ(topology.ebx, 2u);
    EXPECT_EQ(topology.ecx, 0u);
    EXPECT_EQ(bits(find(table, 0x8000001d, 2)->eax, 25, 14), 0u);
    EXPECT_EQ(bits(find(table, 0x8000001d, 3)->eax, 25, 14), 3u);
    EXPECT_EQ(find(table, 7)->edx & (1U << 29), 0u) << "ARCH_CAPABILITIES";
}

TEST(AmdCpuid, WithoutTopologyLeavesDoesNotClaimThem) {
    auto supported = amd_table();
    std::erase_if(supported, [](const auto& entry) { return entry.function > 0x80000008; });
    for (auto& entry : supported)
        if (entry.function == 0x80000000) entry.eax = 0x80000008;
    const auto table = make_cpuid(supported, {.index = 0, .count = 2});
    EXPECT_EQ(bits(find(table, 0x80000001)->ecx, 22, 22), 0u);
    EXPECT_FALSE(find(table, 0x8000001e));
}

TEST(Cpuid, AnEmptyTableStaysEmpty) {
    EXPECT_TRUE(make_cpuid({}, {.index = 1, .count = 2, .tsc_khz = 1}).empty());
}

}  // namespace
}  // namespace sheaf::vmm::x86
