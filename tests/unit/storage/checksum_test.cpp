#include "storage/checksum.h"

#include <array>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::storage {
namespace {

TEST(Checksum, IsCastagnolis) {
    EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283);  // the check value of the polynomial
    EXPECT_EQ(crc32c({}), 0u);
    const std::array<std::byte, 32> zeros{};
    EXPECT_EQ(crc32c(zeros), 0x8a9136aa);  // RFC 3720, B.4
}

TEST(Checksum, GoesOnFromPieceToPiece) {
    const auto text = as_bytes("123456789");
    for (std::size_t cut = 0; cut <= text.size(); ++cut)
        EXPECT_EQ(crc32c(text.subspan(cut), crc32c(text.first(cut))), 0xe3069283);
}

}  // namespace
}  // namespace sheaf::storage
