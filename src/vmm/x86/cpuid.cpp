#include "vmm/x86/cpuid.h"

#include <linux/kvm_para.h>

#include <array>
#include <bit>

#include "vmm/x86/cpuid_table.h"

namespace sheaf::vmm::x86 {

namespace {

constexpr std::uint32_t kvm_leaves = 0x40000000;
constexpr std::uint32_t kvm_features = 0x40000001;
constexpr std::uint32_t timing_leaf = 0x40000010;
constexpr std::uint32_t extended_leaves = 0x80000000;
constexpr std::uint32_t amd_topology_leaf = 0x8000001e;

enum class Vendor { intel, amd };

// Hygon's processors are AMD's by design, Zhaoxin's follow Intel.
Vendor vendor_of(CpuidTable& table) {
    constexpr std::uint32_t authentic_amd = 0x68747541;  // "Auth"
    constexpr std::uint32_t hygon_genuine = 0x6f677948;  // "Hygo"
    const auto* leaf = table.find(0);
    const bool amd = leaf && (leaf->ebx == authentic_amd || leaf->ebx == hygon_genuine);
    return amd ? Vendor::amd : Vendor::intel;
}

// How many bits of an APIC id tell the cores of the package apart.
std::uint32_t core_bits(const Processor& processor) {
    return static_cast<std::uint32_t>(std::bit_width(processor.count - 1));
}

std::uint32_t highest_core_id(const Processor& processor) {
    return (std::uint32_t{1} << core_bits(processor)) - 1;
}

void set_features(CpuidTable& table, const Processor& processor) {
    table.for_each(1, [&](kvm_cpuid_entry2& leaf) {
        set_field(leaf.ebx, 31, 24, processor.index);
        set_field(leaf.ebx, 23, 16, std::min(highest_core_id(processor) + 1, 255U));
        // DTES64, MONITOR, DS-CPL, VMX, SMX, EIST, TM2, PDCM; KVM itself maintains OSXSAVE.
        leaf.ecx &=
            ~(bit(2) | bit(3) | bit(4) | bit(5) | bit(6) | bit(7) | bit(8) | bit(15) | bit(27));
        leaf.ecx |= bit(31) | bit(21);  // hypervisor, x2APIC
        set_field(leaf.ecx, 24, 24, processor.tsc_deadline ? 1 : 0);
        set_field(leaf.edx, 28, 28, processor.count > 1 ? 1 : 0);  // HTT: leaf 4 and B tell more
        leaf.edx &= ~(bit(21) | bit(22) | bit(29) | bit(31));      // DS, ACPI, TM, PBE
    });
    table.for_each(6, [](kvm_cpuid_entry2& leaf) {
        leaf.eax &= bit(2);  // ARAT alone
        leaf.ebx = leaf.ecx = leaf.edx = 0;
    });
    if (auto* leaf = table.find(7)) {
        leaf->ebx &= ~bit(2);              // SGX
        leaf->ecx &= ~(bit(5) | bit(30));  // WAITPKG, SGX_LC
    }
    // MONITOR, performance counters, SGX, processor trace: none is offered.
    for (const std::uint32_t leaf : {0x5, 0xa, 0x12, 0x14}) table.blank(leaf);
}

// Leaves 0xB and 0x1F: threads (always one) within cores within the package.
void set_extended_topology(CpuidTable& table, const Processor& processor) {
    constexpr std::uint32_t thread_level = 1;
    constexpr std::uint32_t core_level = 2;
    for (const std::uint32_t leaf : {0xbU, 0x1fU}) {
        const auto level = [&](std::uint32_t index, std::uint32_t shift, std::uint32_t count,
                               std::uint32_t type) {
            return kvm_cpuid_entry2{.function = leaf,
                                    .index = index,
                                    .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
                                    .eax = shift,
                                    .ebx = count,
                                    .ecx = (type << 8) | index,
                                    .edx = processor.index,
                                    .padding = {}};
        };
        if (table.highest(0) < leaf) continue;
        table.replace(leaf, std::array{
                                level(0, 0, 1, thread_level),
                                level(1, core_bits(processor), processor.count, core_level),
                                level(2, 0, 0, 0),
                            });
    }
}

// How many processors share a cache less one: the levels below the third belong to one core.
std::uint32_t sharers(const kvm_cpuid_entry2& cache, const Processor& processor) {
    const auto level = (cache.eax >> 5) & 7;
    return level < 3 ? 0 : highest_core_id(processor);
}

void set_intel_topology(CpuidTable& table, const Processor& processor) {
    table.for_each(4, [&](kvm_cpuid_entry2& cache) {
        if ((cache.eax & 0x1f) == 0) return;
        set_field(cache.eax, 25, 14, sharers(cache, processor));
        set_field(cache.eax, 31, 26, std::min(highest_core_id(processor), 63U));
    });
    table.for_each(0x80000008, [](kvm_cpuid_entry2& leaf) { leaf.ecx = 0; });
}

void set_amd_topology(CpuidTable& table, const Processor& processor) {
    table.for_each(7, [](kvm_cpuid_entry2& leaf) {
        if (leaf.index == 0) leaf.edx &= ~bit(29);  // ARCH_CAPABILITIES is Intel's
    });
    table.for_each(0x80000008, [&](kvm_cpuid_entry2& leaf) {
        set_field(leaf.ecx, 7, 0, std::min(processor.count - 1, 255U));
        set_field(leaf.ecx, 15, 12, core_bits(processor));
    });
    table.for_each(0x8000001d, [&](kvm_cpuid_entry2& cache) {
        if ((cache.eax & 0x1f) != 0) set_field(cache.eax, 25, 14, sharers(cache, processor));
    });
    auto* features = table.find(0x80000001);
    if (features) set_field(features->ecx, 1, 1, processor.count > 1 ? 1 : 0);  // CmpLegacy
    if (!features || table.highest(extended_leaves) < amd_topology_leaf) return;
    features->ecx |= bit(22);  // TopologyExtensions: 0x8000001D and 0x8000001E are there
    table.replace(amd_topology_leaf,
                  std::array{kvm_cpuid_entry2{.function = amd_topology_leaf,
                                              .index = 0,
                                              .flags = 0,
                                              .eax = processor.index,
                                              .ebx = processor.index & 0xff,  // one thread a core
                                              .ecx = 0,                       // node 0 of one
                                              .edx = 0,
                                              .padding = {}}});
}

void limit_extended_leaves(CpuidTable& table) {
    table.for_each(0x80000001, [](kvm_cpuid_entry2& leaf) {
        // SVM, IBS, SKINIT, WDT, LWP, node id MSR, performance counters (core, northbridge, L3).
        leaf.ecx &= ~(bit(2) | bit(10) | bit(12) | bit(13) | bit(15) | bit(19) | bit(23) | bit(24) |
                      bit(28));
    });
    table.for_each(0x80000007, [](kvm_cpuid_entry2& leaf) {
        leaf.eax = leaf.ebx = leaf.ecx = 0;
        leaf.edx &= bit(8);  // invariant TSC alone
    });
    // SVM, IBS, LWP, memory encryption, performance counters, AMD's newer topology.
    for (const std::uint32_t leaf :
         {0x8000000aU, 0x8000001bU, 0x8000001cU, 0x8000001fU, 0x80000022U, 0x80000026U})
        table.blank(leaf);
}

void set_hypervisor_leaves(CpuidTable& table, const Processor& processor) {
    constexpr std::uint32_t bus_khz = 1'000'000;  // KVM's local APIC timer counts nanoseconds
    if (processor.extended_destination)
        table.for_each(kvm_features, [](kvm_cpuid_entry2& leaf) {
            leaf.eax |= bit(KVM_FEATURE_MSI_EXT_DEST_ID);
        });
    auto* signature = table.find(kvm_leaves);
    if (!signature || processor.tsc_khz == 0) return;
    signature->eax = std::max(signature->eax, timing_leaf);
    table.replace(timing_leaf, std::array{kvm_cpuid_entry2{.function = timing_leaf,
                                                           .index = 0,
                                                           .flags = 0,
                                                           .eax = processor.tsc_khz,
                                                           .ebx = bus_khz,
                                                           .ecx = 0,
                                                           .edx = 0,
                                                           .padding = {}}});
}

}  // namespace

std::vector<kvm_cpuid_entry2> make_cpuid(std::span<const kvm_cpuid_entry2> supported,
                                         const Processor& processor) {
    auto table = CpuidTable{supported};
    set_features(table, processor);
    limit_extended_leaves(table);
    set_extended_topology(table, processor);
    if (vendor_of(table) == Vendor::amd)
        set_amd_topology(table, processor);
    else
        set_intel_topology(table, processor);
    set_hypervisor_leaves(table, processor);
    return std::move(table).take();
}

}  // namespace sheaf::vmm::x86
