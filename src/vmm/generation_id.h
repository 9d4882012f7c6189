#pragma once

// Why: a guest that is one of several copies of a snapshot has to notice, or the copies share keys,
// random numbers and identities. It reads a 128-bit identifier that is new whenever its state may
// be older than it thinks (Microsoft, "Virtual Machine Generation ID", 2018). The DSDT says where.

#include <array>

#include "vmm/guest_memory.h"

namespace sheaf::vmm {

using GenerationId = std::array<std::byte, 16>;

// One that nobody else has. Fails where the host has no random numbers.
Result<GenerationId> make_generation_id();

// Puts it to layout::generation_id, before the guest runs. Fails with invalid where there is no
// memory.
Result<void> put_generation_id(const GuestMemory& memory, const GenerationId& id);

}  // namespace sheaf::vmm
