#pragma once

// Why: the one door to the AML that the build made of firmware/acpi/dsdt.asl.

#include <cstddef>
#include <span>

namespace sheaf::vmm::acpi {

// The complete DSDT, checksum included; lives as long as the program.
std::span<const std::byte> definition_block();

}  // namespace sheaf::vmm::acpi
