#include "vmm/boot/reset_vector.h"

#include <array>

#include "vmm/layout.h"

namespace sheaf::vmm::boot {

Result<void> write_reset_vector(const GuestMemory& memory) {
    constexpr auto code = std::to_array<std::uint8_t>({
        0xba, layout::port_acpi_sleep & 0xff, layout::port_acpi_sleep >> 8,  // mov dx, port
        0xb0, layout::acpi_reset_value,                                      // mov al, value
        0xee,                                                                // out dx, al
        0xf4,                                                                // hlt
        0xeb, 0xfd,                                                          // jmp to hlt
    });
    static_assert(layout::reset_vector + sizeof(code) <= layout::high_memory);
    return memory.write(layout::reset_vector, code);
}

}  // namespace sheaf::vmm::boot
