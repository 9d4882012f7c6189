#include "vmm/boot/zero_page.h"

#include "vmm/boot/memory_map.h"
#include "vmm/layout.h"

namespace sheaf::vmm::boot {

setup_header blank_setup_header() {
    auto header = setup_header{};
    header.boot_flag = 0xaa55;
    header.header = setup_header_magic;
    header.version = 0x20f;
    header.loadflags = LOADED_HIGH;
    header.kernel_alignment = 0x1000000;
    return header;
}

Result<void> write_zero_page(const GuestMemory& memory, const setup_header& header,
                             const Payload& payload, Gpa rsdp) {
    constexpr std::uint8_t unregistered_loader = 0xff;
    auto page = boot_params{};
    page.hdr = header;
    page.hdr.type_of_loader = unregistered_loader;
    page.hdr.cmd_line_ptr = static_cast<std::uint32_t>(layout::command_line.value());
    page.hdr.ramdisk_image = static_cast<std::uint32_t>(payload.initrd.value());
    page.hdr.ramdisk_size = payload.initrd_size;
    page.hdr.setup_data = 0;
    page.acpi_rsdp_addr = rsdp.value();
    for (const auto& range : memory_map(memory))
        page.e820_table[page.e820_entries++] = {
            .addr = range.start.value(),
            .size = range.size,
            .type = static_cast<std::uint32_t>(range.kind),
        };
    return memory.write(layout::zero_page, std::as_bytes(std::span{&page, 1}));
}

}  // namespace sheaf::vmm::boot
