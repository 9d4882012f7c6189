#include "node/exit_report.h"

#include <gtest/gtest.h>

namespace sheaf::node {
namespace {

using How = vmm::Ending::How;

TEST(ExitReport, EveryEndingHasAWordThatIsReadBack) {
    for (const auto how : {How::powered_off, How::reset, How::panicked, How::triple_faulted,
                           How::forced_off, How::failed})
        EXPECT_EQ(parse_how(to_string(how)), how);
    EXPECT_EQ(parse_how("exploded").error().kind(), Kind::invalid);
}

TEST(ExitReport, CodesAreThosePromised) {
    EXPECT_EQ(static_cast<int>(exit_code_of(How::powered_off)), 0);
    EXPECT_EQ(static_cast<int>(exit_code_of(How::reset)), 0);
    EXPECT_EQ(static_cast<int>(exit_code_of(How::panicked)), 1);
    EXPECT_EQ(static_cast<int>(exit_code_of(How::triple_faulted)), 1);
    EXPECT_EQ(static_cast<int>(exit_code_of(How::forced_off)), 2);
    EXPECT_EQ(static_cast<int>(exit_code_of(How::failed)), 70);
    EXPECT_EQ(static_cast<int>(exit_code_of(Kind::not_found)), 65);
    EXPECT_EQ(static_cast<int>(exit_code_of(Kind::unavailable)), 69);
    EXPECT_EQ(static_cast<int>(exit_code_of(Kind::io)), 70);
}

TEST(ExitReport, TimeIsRfc3339) {
    const auto now = timestamp_now();
    ASSERT_EQ(now.size(), 20u);
    EXPECT_EQ(now[4], '-');
    EXPECT_EQ(now[10], 'T');
    EXPECT_EQ(now[19], 'Z');
}

}  // namespace
}  // namespace sheaf::node
