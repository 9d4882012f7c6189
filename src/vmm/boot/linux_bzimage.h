#pragma once

// Why: distributions ship Linux as a bzImage. It is entered at its own 64-bit entry point, so its
// decompressor runs in the guest and keeps kernel address randomisation. What:
// Documentation/arch/x86/boot.rst, protocol 2.12 and later.

#include "vmm/boot/image_file.h"
#include "vmm/boot/kernel.h"

namespace sheaf::vmm::boot {

// Whether the file has a Linux setup header ("HdrS").
Result<bool> is_bzimage(const ImageFile& file);

// As load_kernel(), for a file where is_bzimage() holds.
Result<Entry> load_bzimage(const GuestMemory& memory, const ImageFile& file, const Kernel& kernel);

}  // namespace sheaf::vmm::boot
