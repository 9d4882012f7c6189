#pragma once

// Why: a debugger names virtual addresses, and means them as the processor that it looks at would:
// through the guest's own page tables, which are the guest's to write and may hold anything.

#include <linux/kvm.h>

#include "vmm/guest_memory.h"

namespace sheaf::vmm::debug {

// The physical address behind a linear one (Intel SDM 3A, chapter 4): without paging, with two,
// three, four or five levels. Rights are not looked at: a debugger sees and changes everything.
// Fails with not_found where nothing is mapped.
Result<Gpa> translate(const GuestMemory& memory, const kvm_sregs& registers, std::uint64_t address);

// Whether the address could be one of the processor's, as it is now.
bool is_canonical(const kvm_sregs& registers, std::uint64_t address);

}  // namespace sheaf::vmm::debug
