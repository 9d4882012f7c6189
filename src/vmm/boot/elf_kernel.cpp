#include "vmm/boot/elf_kernel.h"

#include "vmm/boot/elf_image.h"
#include "vmm/boot/memory_map.h"
#include "vmm/boot/pvh.h"
#include "vmm/boot/zero_page.h"
#include "vmm/layout.h"

namespace sheaf::vmm::boot {

namespace {

// Linux cuts longer ones off in silence (COMMAND_LINE_SIZE), and a vmlinux does not tell its limit.
constexpr std::uint64_t vmlinux_command_line = 2047;

Result<void> check_entry(const ElfImage& image, Gpa entry) {
    if (image.contains(entry)) return {};
    return fail(Kind::corrupt, "starts at {:#x}, outside all it loads", entry.value());
}

Result<Entry> choose_entry(const ElfImage& image) {
    if (const auto pvh = image.pvh_entry()) {
        TRY(check_entry(image, *pvh));
        return Entry{Protocol::pvh, *pvh, layout::pvh_start_info};
    }
    if (image.width() == ElfImage::Width::bits_32)
        return fail(Kind::unsupported, "is a 32-bit ELF file without a PVH entry note");
    TRY(check_entry(image, image.entry()));
    return Entry{Protocol::linux_64, image.entry(), layout::zero_page};
}

}  // namespace

Result<Entry> load_elf(const GuestMemory& memory, const ImageFile& file, const Kernel& kernel) {
    const auto image = TRY(ElfImage::create(file));
    const auto entry = TRY(choose_entry(image));
    const bool pvh = entry.protocol == Protocol::pvh;
    if (image.end() > low_memory_limit(memory))
        return fail(Kind::invalid,
                    "does not fit: it needs memory up to {:#x}, the machine has {} MiB",
                    image.end().value(), memory.size() / 1_MiB);
    const auto limits = Limits{
        .kernel_end = image.end(),
        .initrd_limit = layout::hole_start,
        .command_line_size = pvh ? layout::command_line_limit - 1 : vmlinux_command_line,
    };
    const auto payload = TRY(place_payload(memory, kernel.initrd, kernel.command_line, limits));
    TRY(image.load(file, memory));
    if (pvh)
        TRY(write_start_info(memory, payload, kernel.rsdp));
    else
        TRY(write_zero_page(memory, blank_setup_header(), payload, kernel.rsdp));
    return entry;
}

}  // namespace sheaf::vmm::boot
