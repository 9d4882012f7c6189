#include "storage/checksum.h"

#include <bit>

#include <isa-l/crc.h>

namespace sheaf::storage {

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
    // ISA-L does not change them, though its prototype does not say so.
    auto* start = std::bit_cast<unsigned char*>(bytes.data());
    return ~::crc32_iscsi(start, static_cast<int>(bytes.size()), ~before);
}

}  // namespace sheaf::storage
