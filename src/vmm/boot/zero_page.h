#pragma once

// Why: the zero page (struct boot_params) is how the 64-bit boot protocol tells Linux where things
// are. What: Documentation/arch/x86/zero-page.rst; the structure is the kernel's own.

#include <asm/bootparam.h>

#include "vmm/boot/payload.h"

namespace sheaf::vmm::boot {

inline constexpr std::uint32_t setup_header_magic = 0x53726448;  // "HdrS"

// The header for a kernel that has none of its own (a vmlinux).
setup_header blank_setup_header();

// Writes it to layout::zero_page. `header` is the kernel's setup header, or the blank one of a
// vmlinux; the loader's fields in it are filled in here.
Result<void> write_zero_page(const GuestMemory& memory, const setup_header& header,
                             const Payload& payload, Gpa rsdp);

}  // namespace sheaf::vmm::boot
