#pragma once

// Why: the subset of KubeVirt's machine that Sheaf offers; a field that is not here is refused by
// its path (docs/api.md, Machines).

#include "api/field.h"

namespace sheaf::api {

// Of spec of a VirtualMachineInstance, and of spec.template.spec of a VirtualMachine.
std::span<const Field> machine_fields();
// Of spec of a VirtualMachine beside its template.
std::span<const Field> virtual_machine_fields();

}  // namespace sheaf::api
