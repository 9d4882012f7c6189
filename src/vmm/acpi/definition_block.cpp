#include "vmm/acpi/definition_block.h"

// The names are those of firmware/acpi/embed.S.
extern "C" {
extern const std::byte sheaf_dsdt_begin[];
extern const std::byte sheaf_dsdt_end[];
}

namespace sheaf::vmm::acpi {

std::span<const std::byte> definition_block() {
    return {sheaf_dsdt_begin, sheaf_dsdt_end};
}

}  // namespace sheaf::vmm::acpi
