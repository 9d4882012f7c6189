#include "vmm/boot/linux_bzimage.h"

#include <cstddef>

#include "vmm/boot/memory_map.h"
#include "vmm/boot/zero_page.h"
#include "vmm/layout.h"

namespace sheaf::vmm::boot {

namespace {

constexpr std::uint64_t sector = 512;
constexpr std::uint64_t header_offset = offsetof(boot_params, hdr);

constexpr std::uint16_t oldest_protocol = 0x20c;  // 2.12 brought xloadflags
constexpr std::uint64_t entry_64_offset = 0x200;

// Where the protected-mode part is in the file, and what memory it wants.
struct Image {
    setup_header header = {};
    std::uint64_t payload_offset = 0;
    std::uint64_t payload_size = 0;
    Gpa load;
    Gpa end;  // of what the decompressor uses
};

// The header ends where its own jump instruction lands (boot.rst, "the total size of the setup
// header"); what an older kernel does not have reads as zero.
Result<setup_header> read_header(const ImageFile& file) {
    auto header = setup_header{};
    const auto displacement = TRY(file.read<std::uint8_t>(offsetof(boot_params, hdr.jump) + 1));
    const std::uint64_t end = offsetof(boot_params, hdr.header) + displacement;
    const auto length = std::min<std::uint64_t>(end - header_offset, sizeof(header));
    TRY(file.read(header_offset, std::as_writable_bytes(std::span{&header, 1}).first(length)));
    return header;
}

Result<void> check_header(const setup_header& header) {
    const unsigned version = header.version;
    if (version < oldest_protocol)
        return fail(Kind::unsupported,
                    "speaks boot protocol {}.{:02}; at least 2.12 is needed (Linux 3.8 or newer)",
                    version >> 8, version & 0xff);
    if ((header.loadflags & LOADED_HIGH) == 0)
        return fail(Kind::unsupported, "is a zImage that loads below 1 MiB; a bzImage is needed");
    if ((header.xloadflags & XLF_KERNEL_64) == 0)
        return fail(Kind::unsupported, "is a 32-bit kernel; a 64-bit one is needed");
    if (!std::has_single_bit(std::uint32_t{header.kernel_alignment}))
        return fail(Kind::corrupt, "has a damaged setup header: kernel_alignment {:#x}",
                    std::uint32_t{header.kernel_alignment});
    return {};
}

// The decompressor moves itself up to pref_address when it is loaded below, so nothing is won by
// another place; boot.rst, "init_size" gives what it uses from there.
Result<Image> examine(const ImageFile& file) {
    constexpr std::uint64_t paragraph = 16;
    auto image = Image{.header = TRY(read_header(file))};
    const auto& header = image.header;
    TRY(check_header(header));
    const std::uint64_t setup_sectors = header.setup_sects == 0 ? 4 : header.setup_sects;
    image.payload_offset = (setup_sectors + 1) * sector;
    image.payload_size = header.syssize * paragraph;
    if (image.payload_size <= entry_64_offset)
        return fail(Kind::corrupt, "has a damaged setup header: syssize {}",
                    std::uint32_t{header.syssize});
    const auto whole = image.payload_offset + image.payload_size;
    if (file.size() < whole)
        return fail(Kind::corrupt, "is truncated: {} bytes, its header says {}", file.size(),
                    whole);

    const auto preferred = std::max<std::uint64_t>(header.pref_address, 1_MiB);
    const auto room = checked_add<std::uint64_t>(preferred, header.kernel_alignment);
    const auto used = std::max<std::uint64_t>(header.init_size, image.payload_size);
    if (!room || *room > layout::hole_start.value())
        return fail(Kind::corrupt, "wants to be loaded at {:#x}, above the memory below {} GiB",
                    preferred, layout::hole_start.value() / 1_GiB);
    image.load = Gpa{align_up<std::uint64_t>(preferred, header.kernel_alignment)};
    image.end = image.load + used;
    return image;
}

}  // namespace

Result<bool> is_bzimage(const ImageFile& file) {
    constexpr auto magic_offset = offsetof(boot_params, hdr.header);
    if (file.size() < magic_offset + sizeof(setup_header_magic)) return false;
    return TRY(file.read<std::uint32_t>(magic_offset)) == setup_header_magic;
}

Result<Entry> load_bzimage(const GuestMemory& memory, const ImageFile& file, const Kernel& kernel) {
    const auto image = TRY(examine(file));
    if (image.end > low_memory_limit(memory))
        return fail(Kind::invalid,
                    "does not fit: it needs memory up to {} MiB to start, the machine has {} MiB",
                    align_up(image.end.value(), 1_MiB) / 1_MiB, memory.size() / 1_MiB);
    const auto limits = Limits{
        .kernel_end = image.end,
        .initrd_limit = Gpa{std::uint64_t{image.header.initrd_addr_max} + 1},
        .command_line_size = image.header.cmdline_size,
    };
    const auto payload = TRY(place_payload(memory, kernel.initrd, kernel.command_line, limits));
    TRY(file.read(image.payload_offset, image.payload_size, memory, image.load));
    TRY(write_zero_page(memory, image.header, payload, kernel.rsdp));
    return Entry{
        .protocol = Protocol::linux_64,
        .address = image.load + entry_64_offset,
        .parameters = layout::zero_page,
    };
}

}  // namespace sheaf::vmm::boot
