#include "base/utf8.h"

#include <gtest/gtest.h>

namespace sheaf {
namespace {

TEST(Utf8, KnowsTheLengthOfACharacter) {
    EXPECT_EQ(utf8_length(""), 0u);
    EXPECT_EQ(utf8_length("a"), 1u);
    EXPECT_EQ(utf8_length(std::string_view("\0", 1)), 1u);
    EXPECT_EQ(utf8_length("\xc3\xa9 and more"), 2u);
    EXPECT_EQ(utf8_length("\xe2\x82\xac"), 3u);
    EXPECT_EQ(utf8_length("\xf0\x9f\x98\x80"), 4u);
    EXPECT_EQ(utf8_length("\xf4\x8f\xbf\xbf"), 4u);  // U+10FFFF
}

TEST(Utf8, RefusesWhatIsNoCharacter) {
    for (const std::string_view bad : {
             "\x80",              // a continuation alone
             "\xc3",              // cut
             "\xe2\x82",          // cut
             "\xf0\x9f\x98",      // cut
             "\xc0\x80",          // overlong
             "\xe0\x9f\xbf",      // overlong
             "\xf0\x8f\xbf\xbf",  // overlong
             "\xed\xa0\x80",      // a surrogate
             "\xf4\x90\x80\x80",  // beyond U+10FFFF
             "\xff",
         })
        EXPECT_EQ(utf8_length(bad), 0u) << testing::PrintToString(bad);
}

TEST(Utf8, PrefixCutsNoCharacter) {
    EXPECT_EQ(utf8_prefix("abc", 3), "abc");
    EXPECT_EQ(utf8_prefix("abcd", 3), "abc");
    EXPECT_EQ(utf8_prefix("ab\xe2\x82\xac!", 3), "ab");
    EXPECT_EQ(utf8_prefix("ab\xe2\x82\xac!", 4), "ab");
    EXPECT_EQ(utf8_prefix("ab\xe2\x82\xac!", 5), "ab\xe2\x82\xac");
    EXPECT_EQ(utf8_prefix("\x80\x80\x80\x80\x80\x80", 5).size(), 5u);
    EXPECT_EQ(utf8_prefix("\xe2\x82\xac", 1), "");
    EXPECT_EQ(utf8_prefix("abc", 0), "");
}

TEST(Showable, LeavesNothingThatMovesATerminal) {
    EXPECT_EQ(showable("na\u00efve \u2014 text"), "na\u00efve \u2014 text");
    EXPECT_EQ(showable("a\x1b[2Jb\n\x7f"), "a?[2Jb??");
    EXPECT_EQ(showable("a\xc2\x9b"
                       "2Jb"),
              "a?2Jb");
    EXPECT_EQ(showable("\xff\xfe\xc3"), "???");
    EXPECT_EQ(showable(""), "");
}

}  // namespace
}  // namespace sheaf
