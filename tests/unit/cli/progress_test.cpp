#include "cli/progress.h"

#include <gtest/gtest.h>

namespace sheaf::cli {
namespace {

TEST(Progress, SaysHowFarItIs) {
    EXPECT_EQ(progress_text("copying", 0, std::uint64_t{4} << 30),
              "copying 0 bytes of 4 GiB (0 %)");
    EXPECT_EQ(progress_text("copying", std::uint64_t{1} << 30, std::uint64_t{4} << 30),
              "copying 1 GiB of 4 GiB (25 %)");
    EXPECT_EQ(progress_text("copying", std::uint64_t{16} << 40, std::uint64_t{16} << 40),
              "copying 16 TiB of 16 TiB (100 %)");
}

TEST(Progress, NeverGoesBeyondTheEnd) {
    EXPECT_EQ(progress_text("copying", 2048, 1024), "copying 1 KiB of 1 KiB (100 %)");
}

TEST(Progress, SaysWhatWasDoneWhereTheEndIsUnknown) {
    EXPECT_EQ(progress_text("fetching", 2048, 0), "fetching 2 KiB");
}

}  // namespace
}  // namespace sheaf::cli
