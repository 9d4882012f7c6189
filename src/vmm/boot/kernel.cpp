#include "vmm/boot/kernel.h"

#include <array>

#include "vmm/boot/elf_image.h"
#include "vmm/boot/elf_kernel.h"
#include "vmm/boot/linux_bzimage.h"
#include "vmm/boot/memory_map.h"
#include "vmm/boot/reset_vector.h"
#include "vmm/layout.h"

namespace sheaf::vmm::boot {

namespace {

// Files that people hand over by mistake, known by their first bytes.
struct Mistake {
    std::uint64_t offset;
    std::string_view magic;
    std::string_view what;
};
constexpr auto mistakes = std::to_array<Mistake>({
    {0, "\x1f\x8b", "is compressed with gzip; unpack it first"},
    {0,
     "\xfd"
     "7zXZ",
     "is compressed with xz; unpack it first"},
    {0, "\x28\xb5\x2f\xfd", "is compressed with zstd; unpack it first"},
    {0, "070701", "is an initrd (cpio archive), not a kernel"},
    {0, "#!", "is a script, not a kernel"},
    {0, "!<arch>", "is an archive or a Debian package, not a kernel"},
    {0, "QFI\xfb", "is a qcow2 disk, not a kernel"},
    {56, "ARM\x64", "is a kernel for 64-bit ARM, not for x86-64"},
    {0x1fe, "\x55\xaa", "is a boot sector or a truncated bzImage: no Linux setup header in it"},
    {0, "MZ", "is an EFI program or a truncated bzImage: no Linux setup header in it"},
});

Failure not_a_kernel(const ImageFile& file) {
    auto head = std::array<std::byte, 1024>{};
    const auto length = std::min<std::uint64_t>(file.size(), head.size());
    if (auto read = file.read(0, std::span{head}.first(length)); !read)
        return Failure{std::move(read).error()};
    const auto text = as_text(std::span{head}.first(length));
    for (const auto& [offset, magic, what] : mistakes)
        if (text.size() >= offset && text.substr(offset).starts_with(magic))
            return fail(Kind::invalid, "{}", what);
    return fail(Kind::invalid, "is not a kernel: neither a Linux bzImage nor an ELF file");
}

}  // namespace

Result<Entry> load_kernel(const GuestMemory& memory, const Kernel& kernel) {
    const auto file = TRY(ImageFile::create(kernel.image));
    if (file.size() == 0) return fail(Kind::invalid, "is empty");
    // What both protocols write below 1 MiB must have a place.
    if (low_memory_limit(memory) <= layout::high_memory)
        return fail(Kind::invalid, "does not fit: the machine has {} KiB of memory",
                    memory.size() / 1_KiB);
    TRY(write_reset_vector(memory));
    if (TRY(ElfImage::is_elf(file))) return load_elf(memory, file, kernel);
    if (TRY(is_bzimage(file))) return load_bzimage(memory, file, kernel);
    return not_a_kernel(file);
}

}  // namespace sheaf::vmm::boot
