#include "vmm/boot/elf_image.h"

#include <elf.h>

#include <algorithm>
#include <array>

#include "vmm/layout.h"

namespace sheaf::vmm::boot {

namespace {

using Identification = std::array<unsigned char, EI_NIDENT>;

constexpr std::uint16_t most_program_headers = 128;
constexpr std::uint64_t most_note_bytes = 1_MiB;
constexpr std::string_view xen_name{"Xen\0", 4};  // with its NUL, as notes count it
constexpr std::uint32_t xen_phys32_entry = 18;

Result<void> check_kind(unsigned type, unsigned machine, unsigned version) {
    if (version != EV_CURRENT) return fail(Kind::corrupt, "has ELF version {}", version);
    if (machine != EM_X86_64 && machine != EM_386)
        return fail(Kind::unsupported, "is for another processor (ELF machine {}), not x86-64",
                    machine);
    if (type != ET_EXEC)
        return fail(Kind::unsupported,
                    "is an ordinary ELF program or library (type {}), not a kernel", type);
    return {};
}

// The entry point in `notes`, or nothing where they carry none.
Result<std::optional<Gpa>> find_pvh_entry(std::span<const std::byte> notes) {
    constexpr std::size_t alignment = 4;
    auto reader = ByteReader{notes};
    const auto take_padded = [&](std::size_t length) {
        return reader.take(std::min(align_up(length, alignment), reader.rest().size()));
    };
    while (reader.rest().size() >= sizeof(Elf64_Nhdr)) {
        const auto note = TRY(reader.take<Elf64_Nhdr>());
        if (note.n_namesz > reader.rest().size()) return std::nullopt;
        const auto name = TRY(take_padded(note.n_namesz)).first(note.n_namesz);
        if (note.n_descsz > reader.rest().size()) return std::nullopt;
        const auto value = TRY(take_padded(note.n_descsz)).first(note.n_descsz);
        if (note.n_type != xen_phys32_entry || as_text(name) != xen_name) continue;
        if (value.size() != sizeof(std::uint32_t) && value.size() != sizeof(std::uint64_t))
            return fail(Kind::corrupt, "has a PVH note of {} bytes", value.size());
        const auto entry = load_register(value);
        if (entry > UINT32_MAX)
            return fail(Kind::corrupt, "has a PVH entry point above 4 GiB ({:#x})", entry);
        return Gpa{entry};
    }
    return std::nullopt;
}

}  // namespace

Result<bool> ElfImage::is_elf(const ImageFile& file) {
    if (file.size() < SELFMAG) return false;
    const auto magic = TRY((file.read<std::array<char, SELFMAG>>(0)));
    return std::string_view{magic} == std::string_view{ELFMAG, SELFMAG};
}

Result<ElfImage> ElfImage::create(const ImageFile& file) {
    auto image = ElfImage{};
    const auto identification = TRY(file.read<Identification>(0));
    if (identification[EI_DATA] != ELFDATA2LSB)
        return fail(Kind::unsupported, "is a big-endian ELF file, not for x86-64");
    switch (identification[EI_CLASS]) {
        case ELFCLASS32:
            image.width_ = Width::bits_32;
            TRY((image.parse<Elf32_Ehdr, Elf32_Phdr>(file)));
            break;
        case ELFCLASS64:
            image.width_ = Width::bits_64;
            TRY((image.parse<Elf64_Ehdr, Elf64_Phdr>(file)));
            break;
        default: return fail(Kind::corrupt, "has unknown ELF class {}", identification[EI_CLASS]);
    }
    TRY(image.sort_segments());
    return image;
}

template <class Header, class ProgramHeader>
Result<void> ElfImage::parse(const ImageFile& file) {
    const auto header = TRY(file.read<Header>(0));
    TRY(check_kind(header.e_type, header.e_machine, header.e_version));
    if (header.e_phentsize != sizeof(ProgramHeader))
        return fail(Kind::corrupt, "has ELF program headers of {} bytes", header.e_phentsize);
    if (header.e_phnum > most_program_headers)
        return fail(Kind::corrupt, "has {} ELF program headers, more than {}", header.e_phnum,
                    most_program_headers);
    entry_ = Gpa{header.e_entry};
    for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
        const auto offset = checked_add<std::uint64_t>(header.e_phoff, i * sizeof(ProgramHeader));
        if (!offset) return fail(Kind::corrupt, "has ELF program headers beyond any file");
        const auto program = TRY(file.read<ProgramHeader>(*offset));
        if (program.p_type == PT_INTERP)
            return fail(Kind::unsupported, "is a program for Linux, not a kernel");
        if (program.p_type == PT_NOTE && !pvh_entry_)
            TRY(read_notes(file, program.p_offset, program.p_filesz));
        if (program.p_type == PT_LOAD && program.p_memsz > 0)
            TRY(add(file, {.address = Gpa{program.p_paddr},
                           .offset = program.p_offset,
                           .file_size = program.p_filesz,
                           .memory_size = program.p_memsz}));
    }
    return {};
}

Result<void> ElfImage::add(const ImageFile& file, const Segment& segment) {
    const auto file_end = checked_add(segment.offset, segment.file_size);
    if (!file_end || *file_end > file.size())
        return fail(Kind::corrupt, "is truncated: {} bytes, a segment of {} bytes is at {}",
                    file.size(), segment.file_size, segment.offset);
    if (segment.file_size > segment.memory_size)
        return fail(Kind::corrupt, "has a segment with more bytes in the file than in memory");
    if (segment.address < layout::high_memory)
        return fail(Kind::unsupported, "wants to be loaded at {:#x}, below 1 MiB",
                    segment.address.value());
    if (!checked_add(segment.address.value(), segment.memory_size))
        return fail(Kind::corrupt, "has a segment beyond any memory");
    segments_.push_back(segment);
    return {};
}

Result<void> ElfImage::read_notes(const ImageFile& file, std::uint64_t offset,
                                  std::uint64_t length) {
    if (length > most_note_bytes)
        return fail(Kind::corrupt, "has {} bytes of ELF notes, more than {}", length,
                    most_note_bytes);
    auto notes = std::vector<std::byte>(length);
    TRY(file.read(offset, notes));
    pvh_entry_ = TRY(find_pvh_entry(notes));
    return {};
}

Result<void> ElfImage::sort_segments() {
    if (segments_.empty()) return fail(Kind::unsupported, "has no segment to load, so no kernel");
    std::ranges::sort(segments_, {}, &Segment::address);
    for (std::size_t i = 1; i < segments_.size(); ++i) {
        const auto& previous = segments_[i - 1];
        if (previous.address + previous.memory_size > segments_[i].address)
            return fail(Kind::corrupt, "has overlapping segments at {:#x}",
                        segments_[i].address.value());
    }
    return {};
}

Gpa ElfImage::end() const {
    const auto& last = segments_.back();
    return last.address + last.memory_size;
}

bool ElfImage::contains(Gpa address) const {
    return std::ranges::any_of(segments_, [&](const Segment& segment) {
        return address >= segment.address && address - segment.address < segment.memory_size;
    });
}

Result<void> ElfImage::load(const ImageFile& file, const GuestMemory& memory) const {
    for (const auto& segment : segments_) {
        TRY(memory.slice(segment.address, segment.memory_size));
        TRY(file.read(segment.offset, segment.file_size, memory, segment.address));
    }
    return {};
}

}  // namespace sheaf::vmm::boot
