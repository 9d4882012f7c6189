#include "base/error.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace sheaf {
namespace {

TEST(Error, EveryKindHasItsOwnName) {
    for (int i = 0; i <= static_cast<int>(Kind::io); ++i) {
        const auto kind = static_cast<Kind>(i);
        EXPECT_EQ(parse_kind(to_string(kind)), kind);
    }
    EXPECT_EQ(to_string(Kind::not_found), "not_found");
    EXPECT_EQ(parse_kind("no_such_kind"), std::nullopt);
}

TEST(Error, FromOsNamesTheKindAndTheReason) {
    const auto error = Error::from_os(ENOENT, "opening disk.raw");
    EXPECT_EQ(error.kind(), Kind::not_found);
    EXPECT_EQ(error.os_error(), ENOENT);
    EXPECT_EQ(error.text(), "opening disk.raw: No such file or directory");
    EXPECT_EQ(Error::from_os(EACCES, "x").kind(), Kind::denied);
    EXPECT_EQ(Error::from_os(ENOSPC, "x").kind(), Kind::exhausted);
    EXPECT_EQ(Error::from_os(EIO, "x").kind(), Kind::io);
    EXPECT_EQ(Error::from_os(9999, "x").text(), "x: unknown error");
}

TEST(Error, ContextGrowsOutward) {
    auto error = Error{Kind::corrupt, "bad magic"}.within("header").within("disk a");
    EXPECT_EQ(error.text(), "disk a: header: bad magic");
    EXPECT_EQ(error.kind(), Kind::corrupt);
}

}  // namespace
}  // namespace sheaf
