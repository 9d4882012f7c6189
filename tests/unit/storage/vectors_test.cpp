#include "storage/vectors.h"

#include <array>
#include <numeric>

#include <gtest/gtest.h>

namespace sheaf::storage {
namespace {

// Ten bytes 0..9 in pieces of 3, 0, 5 and 2.
class Vectors : public testing::Test {
  protected:
    Vectors() {
        for (unsigned value = 0; value < bytes.size(); ++value)
            bytes[value] = std::byte(static_cast<unsigned char>(value));
    }
    std::array<std::byte, 10> bytes;
    std::array<iovec, 4> pieces{{{bytes.data(), 3}, {nullptr, 0}, {&bytes[3], 5}, {&bytes[8], 2}}};
};

TEST_F(Vectors, AddUp) {
    EXPECT_EQ(length_of(pieces), 10u);
}

TEST_F(Vectors, AreSkippedAndGivenOnFromAnyByte) {
    for (std::size_t skipped = 0; skipped <= bytes.size(); ++skipped) {
        VectorCursor cursor{pieces};
        cursor.skip(skipped);
        const auto rest = cursor.next(8);
        ASSERT_EQ(length_of(rest), bytes.size() - skipped);
        std::array<std::byte, 10> seen{};
        VectorCursor{rest}.copy_out(std::span{seen}.first(bytes.size() - skipped));
        EXPECT_TRUE(std::equal(bytes.begin() + static_cast<std::ptrdiff_t>(skipped), bytes.end(),
                               seen.begin()));
    }
}

TEST_F(Vectors, AreCopiedInPieceByPiece) {
    std::array<std::byte, 10> source;
    source.fill(std::byte{7});
    VectorCursor cursor{pieces};
    cursor.copy_in(std::span{source}.first(4));
    cursor.copy_in(std::span{source}.first(4));
    EXPECT_EQ(bytes[7], std::byte{7});
    EXPECT_EQ(bytes[8], std::byte{8}) << "the ninth byte was not asked for";
}

TEST_F(Vectors, NeverReachBeyondTheEnd) {
    std::array<std::byte, 16> long_buffer{};
    VectorCursor cursor{pieces};
    cursor.copy_out(long_buffer);
    cursor.skip(100);
    EXPECT_TRUE(cursor.next(8).empty());
}

}  // namespace
}  // namespace sheaf::storage
