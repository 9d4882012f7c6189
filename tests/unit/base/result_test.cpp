#include "base/result.h"

#include <cerrno>
#include <memory>

#include <gtest/gtest.h>

namespace sheaf {
namespace {

Result<int> half(int number) {
    if (number % 2 != 0) return fail(Kind::invalid, "{} is odd", number);
    return number / 2;
}

Result<int> quarter(int number) {
    return half(TRY(half(number)));
}

Result<int> eighth(int number) {
    return TRY(half(TRY(half(TRY(half(number))))));
}

Result<void> needs_quarter(int number) {
    TRY_WITHIN(quarter(number), "quarter of {}", number);
    return {};
}

TEST(Result, TryGivesTheValueOrEndsTheFunction) {
    EXPECT_EQ(quarter(12).value(), 3);
    EXPECT_EQ(eighth(24).value(), 3);
    EXPECT_FALSE(eighth(12));
    const auto odd = quarter(6);
    ASSERT_FALSE(odd);
    EXPECT_EQ(odd.error().text(), "3 is odd");
    EXPECT_EQ(odd.error().kind(), Kind::invalid);
}

TEST(Result, TryWithinAddsContext) {
    EXPECT_TRUE(needs_quarter(8));
    EXPECT_EQ(needs_quarter(6).error().text(), "quarter of 6: 3 is odd");
}

Result<std::unique_ptr<int>> boxed(int number) {
    return std::make_unique<int>(TRY(half(number)));
}

Result<int> unboxed(int number) {
    auto box = TRY(boxed(number));
    return *box;
}

TEST(Result, TryMovesWhatCannotBeCopied) {
    EXPECT_EQ(unboxed(10).value(), 5);
    EXPECT_FALSE(unboxed(11));
}

TEST(Result, FailOsSaysWhatTheSystemSaid) {
    const auto failure = Result<void>{fail_os(EPERM, "opening {}", "/dev/kvm")};
    EXPECT_EQ(failure.error().text(), "opening /dev/kvm: Operation not permitted");
    EXPECT_EQ(failure.error().os_error(), EPERM);
}

}  // namespace
}  // namespace sheaf
