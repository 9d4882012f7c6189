#pragma once

// Why: the loaders' tests and their fuzz target speak as a kernel's build system. Bzimage and Elf
// make well-formed files whose fields a test then spoils.

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include <asm/bootparam.h>

namespace sheaf::vmm::boot {

template <class T>
void put(std::string& content, std::size_t offset, const T& value) {
    if (content.size() < offset + sizeof(value)) content.resize(offset + sizeof(value));
    std::memcpy(content.data() + offset, &value, sizeof(value));
}

// A bzImage with one setup sector and a recognisable payload; the numbers are Debian's.
struct Bzimage {
    setup_header header = {};
    std::string payload = std::string(64 * 1024, 'k');

    Bzimage() {
        header.setup_sects = 1;
        header.boot_flag = 0xaa55;
        header.jump = 0x6aeb;  // over the header, to 0x202 + 0x6a
        header.header = 0x53726448;
        header.version = 0x20f;
        header.loadflags = LOADED_HIGH;
        header.initrd_addr_max = 0x7fffffff;
        header.kernel_alignment = 0x200000;
        header.relocatable_kernel = 1;
        header.xloadflags = 0x7f;
        header.cmdline_size = 2047;
        header.pref_address = 0x1000000;
        header.init_size = 0x400000;
    }

    std::string content() const {
        auto bytes = std::string(2 * 512, '\0');
        auto written = header;
        if (written.syssize == 0) written.syssize = static_cast<__u32>(payload.size() / 16);
        put(bytes, offsetof(boot_params, hdr), written);
        return bytes + payload;
    }
};

// An ELF kernel of one segment, with a PVH note unless told otherwise.
template <class Header, class ProgramHeader>
struct Elf {
    Header header = {};
    ProgramHeader segment = {};
    ProgramHeader note = {};
    std::uint32_t pvh_entry = 0x1000010;
    std::string body = std::string(8192, 'e');
    enum class Note { pvh, none } with_note = Note::pvh;

    Elf() {
        std::memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = sizeof(Header) == sizeof(Elf64_Ehdr) ? ELFCLASS64 : ELFCLASS32;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        header.e_type = ET_EXEC;
        header.e_machine = EM_X86_64;
        header.e_version = EV_CURRENT;
        header.e_entry = 0x1000200;
        header.e_phoff = sizeof(Header);
        header.e_phentsize = sizeof(ProgramHeader);
        header.e_phnum = 2;
        segment.p_type = PT_LOAD;
        segment.p_paddr = 0x1000000;
        segment.p_offset = 4096;
        segment.p_filesz = 8192;
        segment.p_memsz = 16384;
        note.p_type = PT_NOTE;
        note.p_offset = 512;
    }

    std::string content() const {
        auto bytes = std::string(4096, '\0') + body;
        auto notes = std::string{};
        put(notes, 0, Elf64_Nhdr{.n_namesz = 4, .n_descsz = 3, .n_type = 18});
        put(notes, 12, std::array{'A', 'B', 'C', '\0'});  // another vendor's note 18
        put(notes, 20, Elf64_Nhdr{.n_namesz = 4, .n_descsz = 4, .n_type = 18});
        put(notes, 32, std::array{'X', 'e', 'n', '\0'});
        put(notes, 36, pvh_entry);
        auto described = note;
        if (described.p_filesz == 0) described.p_filesz = static_cast<std::uint32_t>(notes.size());
        if (with_note == Note::none) described.p_type = PT_NULL;
        put(bytes, 0, header);
        put(bytes, sizeof(Header), segment);
        put(bytes, sizeof(Header) + sizeof(ProgramHeader), described);
        std::ranges::copy(notes, bytes.begin() + 512);
        return bytes;
    }
};
using Elf64 = Elf<Elf64_Ehdr, Elf64_Phdr>;
using Elf32 = Elf<Elf32_Ehdr, Elf32_Phdr>;

}  // namespace sheaf::vmm::boot
