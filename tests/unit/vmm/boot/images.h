#pragma once

// Why: a kernel file in a test is a byte string in a memfd, loaded into a small guest memory.

#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "support/kernel_images.h"
#include "vmm/boot/kernel.h"
#include "vmm/layout.h"

namespace sheaf::vmm::boot {

inline Fd file_of(std::string_view content) {
    auto fd = Fd{::memfd_create("image", MFD_CLOEXEC)};
    EXPECT_EQ(::write(fd.get(), content.data(), content.size()),
              static_cast<ssize_t>(content.size()));
    return fd;
}

inline GuestMemory memory_of(std::uint64_t size) {
    return *GuestMemory::create(size, GuestMemory::Backing::anonymous);
}

// The message of the error that loading `content` ends with, or "loaded".
inline std::string complaint(std::string_view content, const GuestMemory& memory) {
    const auto image = file_of(content);
    const auto entry = load_kernel(memory, {.image = image, .rsdp = layout::acpi_tables});
    return entry ? "loaded" : entry.error().text();
}

// Whether a message has `part` in it.
inline bool says(std::string_view message, std::string_view part) {
    return message.contains(part);
}

inline std::string text_at(const GuestMemory& memory, Gpa address, std::size_t length) {
    return std::string{as_text(*memory.slice(address, length))};
}

}  // namespace sheaf::vmm::boot
