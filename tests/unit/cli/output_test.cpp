#include "cli/output.h"

#include <gtest/gtest.h>

namespace sheaf::cli {
namespace {

TEST(Tables, AreAsWideAsTheirWords) {
    EXPECT_EQ(table({{"NAME", "SIZE"}, {"a", "1 GiB"}, {"longer", ""}}),
              "NAME     SIZE\n"
              "a        1 GiB\n"
              "longer\n");
    EXPECT_EQ(table({}), "");
}

// Where an image came from is what somebody once typed.
TEST(Tables, ShowNoControlCharacters) {
    EXPECT_EQ(table({{"a\x1b[31m", "b"}}), "a?[31m   b\n");
}

TEST(Sizes, AreForPeople) {
    EXPECT_EQ(human_size(0), "0 bytes");
    EXPECT_EQ(human_size(1023), "1023 bytes");
    EXPECT_EQ(human_size(1536), "1.5 KiB");
    EXPECT_EQ(human_size(std::uint64_t{10} << 30), "10 GiB");
    EXPECT_EQ(human_size(std::uint64_t{16} << 40), "16 TiB");
    EXPECT_EQ(human_size(~std::uint64_t{0}), "16777216 TiB");
}

}  // namespace
}  // namespace sheaf::cli
