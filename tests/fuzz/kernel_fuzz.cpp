// Any bytes as a kernel: load_kernel() must refuse them or give an entry point within memory, and
// never crash, overrun or allocate without bound. The first byte chooses a well-formed file that
// the rest spoils, so that the checks behind the magic numbers are reached.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "base/bytes.h"
#include "support/kernel_images.h"
#include "vmm/boot/kernel.h"
#include "vmm/layout.h"

namespace sheaf::vmm::boot {
namespace {

// XORs `mask` over the beginning of `content`; zero bytes leave it well-formed.
std::string spoilt(std::string content, std::string_view mask) {
    if (content.size() < mask.size()) content.resize(mask.size());
    for (std::size_t i = 0; i < mask.size(); ++i)
        content[i] = static_cast<char>(content[i] ^ mask[i]);
    return content;
}

std::string make_file(unsigned choice, std::string_view rest) {
    constexpr std::size_t header = 0x1f0;  // the setup header follows
    switch (choice % 5) {
        case 0: return std::string{rest};
        case 1: return spoilt(Bzimage{}.content(), std::string(header, '\0').append(rest));
        case 2: return spoilt(Elf64{}.content(), rest);
        case 3: return spoilt(Elf32{}.content(), rest);
        default: return spoilt(Elf64{}.content(), std::string(512, '\0').append(rest));  // notes
    }
}

Fd file_of(std::string_view content) {
    auto fd = Fd{::memfd_create("kernel", MFD_CLOEXEC)};
    while (!content.empty()) {
        const auto written = ::write(fd.get(), content.data(), content.size());
        if (written <= 0) std::abort();
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return fd;
}

void load(std::string_view input) {
    static const auto memory = *GuestMemory::create(32_MiB, GuestMemory::Backing::anonymous);
    if (input.size() < 2) return;
    const auto with_initrd = input[1] & 1;
    const auto command_line = input.substr(2, static_cast<unsigned char>(input[1]) / 2);
    const auto image = file_of(make_file(static_cast<unsigned char>(input[0]), input.substr(2)));
    const auto initrd = file_of(input);
    const auto entry = load_kernel(memory, {.image = image,
                                            .initrd = with_initrd ? &initrd : nullptr,
                                            .command_line = command_line,
                                            .rsdp = layout::acpi_tables});
    if (!entry) {
        if (entry.error().text().empty()) std::abort();
        return;
    }
    if (!memory.slice(entry->address, 1) || entry->address < layout::high_memory) std::abort();
    if (!memory.slice(entry->parameters, 4096)) std::abort();
}

}  // namespace
}  // namespace sheaf::vmm::boot

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sheaf::vmm::boot::load({reinterpret_cast<const char*>(data), size});
    return 0;
}
