#pragma once

// Why: `--kernel FILE` may be a bzImage or an ELF kernel; this is the one front that finds out,
// loads it and says precisely what is wrong where it cannot.

#include <string_view>

#include "base/fd.h"
#include "vmm/boot/entry.h"
#include "vmm/guest_memory.h"

namespace sheaf::vmm::boot {

struct Kernel {
    const Fd& image;
    const Fd* initrd = nullptr;     // null where there is none
    std::string_view command_line;  // without the closing NUL
    Gpa rsdp;                       // of the ACPI tables
};

// Reads kernel, initrd and command line into `memory`, which is fresh (all zero) or at least holds
// nothing of use, and writes what the kernel's protocol hands over. Blocks on file reads; any
// thread. Errors name what is wrong but not the files: the caller knows their names.
Result<Entry> load_kernel(const GuestMemory& memory, const Kernel& kernel);

}  // namespace sheaf::vmm::boot
