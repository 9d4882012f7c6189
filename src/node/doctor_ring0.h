#pragma once

// Why: whether a KVM runs a guest's kernel in hardware shows only when a guest does: software KVMs
// offer the same interface and the same capabilities.

#include "vmm/kvm.h"

namespace sheaf::node {

// Runs a loop of the simplest instructions in ring 0 of a fresh VM for at most 0.1 s and gives how
// many of them it did in a second, at its best. Errors are KVM's.
Result<std::uint64_t> measure_ring0(const vmm::Kvm& kvm);

}  // namespace sheaf::node
