#include "base/fd.h"

#include <fcntl.h>

#include <gtest/gtest.h>

namespace sheaf {
namespace {

bool is_open(int number) {
    return ::fcntl(number, F_GETFD) >= 0;
}

Fd open_null() {
    return Fd{::open("/dev/null", O_RDWR | O_CLOEXEC)};
}

TEST(Fd, ClosesWhenItsOwnerGoes) {
    int number = -1;
    {
        const auto fd = open_null();
        number = fd.get();
        ASSERT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST(Fd, MovingHandsOverTheOneOwnership) {
    auto first = open_null();
    const int number = first.get();
    auto second = std::move(first);
    EXPECT_FALSE(first);
    EXPECT_EQ(second.get(), number);

    auto third = open_null();
    const int replaced = third.get();
    third = std::move(second);
    EXPECT_FALSE(is_open(replaced));
    EXPECT_TRUE(is_open(number));
    EXPECT_EQ(third.get(), number);
}

TEST(Fd, ReleaseDoesNotClose) {
    auto fd = open_null();
    const auto again = Fd{fd.release()};
    EXPECT_FALSE(fd);
    EXPECT_TRUE(is_open(again.get()));
}

TEST(Fd, DuplicateIsAnotherDescriptorClosedOnExec) {
    const auto fd = open_null();
    const auto twin = fd.duplicate();
    ASSERT_TRUE(twin);
    EXPECT_NE(twin->get(), fd.get());
    EXPECT_EQ(::fcntl(twin->get(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(Fd{}.duplicate().error().os_error(), EBADF);
}

TEST(Fd, CheckedFdTurnsErrnoIntoAnError) {
    const auto missing =
        checked_fd(::open("/no/such/file", O_RDONLY | O_CLOEXEC), "opening {}", "/no/such/file");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind(), Kind::not_found);
    EXPECT_EQ(missing.error().text(), "opening /no/such/file: No such file or directory");
    EXPECT_EQ(checked(7, "seven").value(), 7);
}

}  // namespace
}  // namespace sheaf
