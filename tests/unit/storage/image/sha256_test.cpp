#include "storage/image/sha256.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::image {
namespace {

// FIPS 180-4, the example of three letters.
constexpr auto of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, IsTheSameInPieces) {
    Sha256 digest;
    digest.add(as_bytes("a"));
    digest.add({});
    digest.add(as_bytes("bc"));
    EXPECT_EQ(digest.finish(), of_abc);
}

TEST(Sha256, IsReadAsPeopleWriteIt) {
    std::string upper = of_abc;
    for (auto& letter : upper) letter = static_cast<char>(std::toupper(letter));
    EXPECT_EQ(parse_sha256(upper).value(), of_abc);
    EXPECT_FALSE(parse_sha256(""));
    EXPECT_FALSE(parse_sha256(upper + "0"));
    EXPECT_FALSE(parse_sha256(std::string(63, '0') + "g"));
    EXPECT_FALSE(parse_sha256(upper.substr(1)));
}

}  // namespace
}  // namespace sheaf::image
