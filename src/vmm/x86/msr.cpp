#include "vmm/x86/msr.h"

#include <array>

namespace sheaf::vmm::x86 {

namespace {

constexpr std::uint64_t fast_strings = 1;
constexpr std::uint64_t mtrr_enabled = std::uint64_t{1} << 11;
constexpr std::uint64_t write_back = 6;

constexpr auto values = std::to_array<MsrValue>({
    {0x10, 0},                           // TSC: all vCPUs count from the same point
    {0x174, 0},                          // SYSENTER_CS
    {0x175, 0},                          // SYSENTER_ESP
    {0x176, 0},                          // SYSENTER_EIP
    {0x1a0, fast_strings},               // MISC_ENABLE
    {0x2ff, mtrr_enabled | write_back},  // MTRR_DEF_TYPE
    {0xc0000081, 0},                     // STAR
    {0xc0000082, 0},                     // LSTAR
    {0xc0000083, 0},                     // CSTAR
    {0xc0000084, 0},                     // SYSCALL_MASK
    {0xc0000102, 0},                     // KERNEL_GS_BASE
});

}  // namespace

std::span<const MsrValue> boot_msrs() {
    return values;
}

}  // namespace sheaf::vmm::x86
