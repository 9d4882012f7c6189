#pragma once

// Why: beside the kernel itself, every boot protocol hands over a command line and perhaps an
// initrd. Where they may lie depends on the kernel; placing them is the same for all.

#include <string_view>

#include "vmm/boot/image_file.h"

namespace sheaf::vmm::boot {

// What the kernel's own format says about its surroundings.
struct Limits {
    Gpa kernel_end;                       // the kernel uses memory up to here while it starts
    Gpa initrd_limit;                     // the initrd must end at or below
    std::uint64_t command_line_size = 0;  // longest it takes, without the closing NUL
};

struct Payload {
    Gpa initrd;
    std::uint32_t initrd_size = 0;  // 0 where there is none
    std::uint32_t command_line_size = 0;
};

// Writes the command line to its place in layout.h and the initrd to the top of low memory, page
// aligned. `initrd` may be null. Fails with invalid where one of them does not fit.
Result<Payload> place_payload(const GuestMemory& memory, const Fd* initrd,
                              std::string_view command_line, const Limits& limits);

}  // namespace sheaf::vmm::boot
