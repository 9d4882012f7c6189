#include "storage/pool/name.h"

#include <gtest/gtest.h>

namespace sheaf::pool {
namespace {

TEST(Names, OfLettersDigitsAndAFewSigns) {
    for (const auto& name :
         {std::string{"a"}, std::string{"db-1.x2"}, std::string{"0"}, std::string(63, 'n')})
        EXPECT_TRUE(check_name("volume", name)) << name;
}

TEST(Names, EachWayToBeWrongHasItsSentence) {
    EXPECT_EQ(check_name("volume", "").error().text(), "the name of the volume is empty");
    EXPECT_EQ(check_name("volume", "a/b").error().text(),
              "volume \"a/b\": a name has lower-case letters, digits, '-' and '.', nothing else");
    EXPECT_EQ(check_name("snapshot", ".new").error().text(),
              "snapshot \".new\": a name begins with a letter or a digit");
    EXPECT_EQ(
        check_name("volume", std::string(64, 'n')).error().text(),
        "volume \"" + std::string(64, 'n') + "\": a name has at most 63 characters, this one 64");
    for (const auto* name : {"..", "-o", "a b", "a@b", "a\n", "\xc3\xa4", "a,b", "A", "a_b"})
        EXPECT_FALSE(check_name("volume", name)) << name;
}

TEST(Names, ThatATerminalWouldObeyAreNotShownAsTheyAre) {
    const auto text = check_name("volume", "a\x1b[2J" + std::string(500, 'b')).error().text();
    EXPECT_EQ(text.find('\x1b'), text.npos);
    EXPECT_LT(text.size(), 200u);
}

}  // namespace
}  // namespace sheaf::pool
