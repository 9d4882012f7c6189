#pragma once

// Why: a loaded kernel is three facts for the processor that starts it. The loaders produce them,
// x86/entry_state.h turns them into registers.

#include "base/units.h"

namespace sheaf::vmm::boot {

enum class Protocol {
    linux_64,  // long mode, RSI = zero page (Documentation/arch/x86/boot.rst, 64-bit protocol)
    pvh,       // flat 32-bit mode, EBX = hvm_start_info (Xen, misc/pvh)
};

struct Entry {
    Protocol protocol = Protocol::linux_64;
    Gpa address;     // of the first instruction
    Gpa parameters;  // of the zero page or of hvm_start_info
};

}  // namespace sheaf::vmm::boot
