#include "base/hex.h"

#include <gtest/gtest.h>

namespace sheaf {
namespace {

TEST(Hex, GoesBothWays) {
    const auto bytes = from_hex("00fFa5");
    ASSERT_TRUE(bytes);
    EXPECT_EQ(to_hex(*bytes), "00ffa5");
    EXPECT_FALSE(from_hex("abc"));
    EXPECT_FALSE(from_hex("0x"));
}

}  // namespace
}  // namespace sheaf
