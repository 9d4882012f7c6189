#include "support/clock.h"

namespace {

// pvclock_vcpu_time_info of the KVM ABI.
struct KvmClock {
    uint32_t version;
    uint32_t pad;
    uint64_t tsc_timestamp;
    uint64_t system_time;
    uint32_t tsc_to_system_mul;
    int8_t tsc_shift;
    uint8_t flags;
    uint8_t pad2[2];
};

}  // namespace

extern "C" volatile KvmClock kvm_clock_page;

namespace probe {
namespace {

uint64_t frequency_of_kvm_clock() {
    const uint64_t multiplier = kvm_clock_page.tsc_to_system_mul;
    if (multiplier == 0) return 0;
    // nanoseconds = (ticks << shift) * multiplier >> 32
    const uint64_t khz = (uint64_t{1'000'000} << 32) / multiplier;
    const int shift = kvm_clock_page.tsc_shift;
    return shift >= 0 ? khz >> shift : khz << -shift;
}

uint64_t frequency_of_cpuid() {
    if (cpuid(0x40000000).eax >= 0x40000010) {
        if (const uint64_t khz = cpuid(0x40000010).eax) return khz;
    }
    const uint32_t highest = cpuid(0).eax;
    if (highest >= 0x15) {
        const CpuidLeaf leaf = cpuid(0x15);
        if (leaf.eax && leaf.ebx && leaf.ecx)
            return uint64_t{leaf.ecx} * leaf.ebx / leaf.eax / 1000;
    }
    if (highest >= 0x16) {
        if (const uint64_t mhz = cpuid(0x16).eax & 0xffff) return mhz * 1000;
    }
    return 0;
}

uint64_t frequency(const CommandLine& command_line) {
    if (const uint64_t khz = command_line.number("tsc_khz", 0)) return khz;
    if (const uint64_t khz = frequency_of_kvm_clock()) return khz;
    if (const uint64_t khz = frequency_of_cpuid()) return khz;
    return 2'000'000;  // nothing tells: deadlines still end, times are in units of 2 GHz
}

}  // namespace

Clock::Clock(const CommandLine& command_line)
    : khz_(frequency(command_line)), scale_((uint64_t{1'000'000} << 32) / khz_) {}

}  // namespace probe
