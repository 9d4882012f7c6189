#pragma once

// Why: an ELF kernel starts without decompressing itself. It is entered by PVH where it carries
// Xen's entry note, else (a Linux vmlinux without it) at its 64-bit entry point.

#include "vmm/boot/image_file.h"
#include "vmm/boot/kernel.h"

namespace sheaf::vmm::boot {

// As load_kernel(), for a file where ElfImage::is_elf() holds.
Result<Entry> load_elf(const GuestMemory& memory, const ImageFile& file, const Kernel& kernel);

}  // namespace sheaf::vmm::boot
