#include "vmm/boot/payload.h"

#include "vmm/boot/memory_map.h"
#include "vmm/layout.h"

namespace sheaf::vmm::boot {

namespace {

constexpr std::uint64_t in_mib(std::uint64_t bytes) {
    return align_up(bytes, 1_MiB) / 1_MiB;
}

Result<void> write_command_line(const GuestMemory& memory, std::string_view text,
                                std::uint64_t limit) {
    limit = std::min(limit, layout::command_line_limit - 1);
    if (text.size() > limit)
        return fail(Kind::invalid, "command line: {} bytes, this kernel takes at most {}",
                    text.size(), limit);
    if (text.contains('\0')) return fail(Kind::invalid, "command line: contains a NUL byte");
    TRY(memory.write(layout::command_line, as_bytes(text)));
    return memory.write(layout::command_line + text.size(), std::uint8_t{0});
}

// The address for `size` bytes at the top of low memory that stays clear of the kernel.
Result<Gpa> choose_initrd_address(const GuestMemory& memory, std::uint64_t size,
                                  const Limits& limits) {
    const auto ceiling = std::min(limits.initrd_limit, layout::hole_start).value();
    const auto top = std::min(low_memory_limit(memory).value(), ceiling);
    const auto floor = std::max(limits.kernel_end, layout::high_memory).value();
    if (size <= top) {
        const auto start = align_down(top - size, 4_KiB);
        if (start >= floor) return Gpa{start};
    }
    const auto needed = checked_add(floor, align_up(size, 4_KiB));
    if (!needed || *needed > ceiling)
        return fail(Kind::invalid, "is too big: {} MiB, there is room for {} MiB at most",
                    in_mib(size), (std::max(ceiling, floor) - floor) / 1_MiB);
    return fail(Kind::invalid,
                "does not fit beside the kernel: {} MiB in {} MiB of memory; give the machine at "
                "least {} MiB",
                in_mib(size), memory.size() / 1_MiB, in_mib(*needed));
}

}  // namespace

Result<Payload> place_payload(const GuestMemory& memory, const Fd* initrd,
                              std::string_view command_line, const Limits& limits) {
    TRY(write_command_line(memory, command_line, limits.command_line_size));
    auto payload = Payload{.command_line_size = static_cast<std::uint32_t>(command_line.size())};
    if (!initrd) return payload;

    const auto place = [&]() -> Result<void> {
        const auto file = TRY(ImageFile::create(*initrd));
        if (file.size() == 0) return fail(Kind::invalid, "is empty");
        payload.initrd = TRY(choose_initrd_address(memory, file.size(), limits));
        payload.initrd_size = static_cast<std::uint32_t>(file.size());
        return file.read(0, file.size(), memory, payload.initrd);
    };
    TRY_WITHIN(place(), "initrd");
    return payload;
}

}  // namespace sheaf::vmm::boot
