#include "base/json_path.h"

#include <gtest/gtest.h>

namespace sheaf::json {
namespace {

TEST(JsonPath, IsAPointer) {
    const auto root = Path{};
    EXPECT_EQ(root.text(), "/");
    const auto disks = root.member("disks");
    const auto disk = disks.element(12);
    EXPECT_EQ(disk.text(), "/disks/12");
    EXPECT_EQ(disk.member("cache").text(), "/disks/12/cache");
    EXPECT_EQ(root.member("").text(), "/");
    EXPECT_EQ(root.member("a/b~c").text(), "/a~1b~0c");
}

TEST(JsonPath, IsFitToBePrinted) {
    EXPECT_EQ(Path{}.member("a\x1b[31m\n").text(), "/a\\u001b[31m\\n");
    const auto long_name = std::string(1'000'000, 'x');
    EXPECT_EQ(Path{}.member(long_name).text(), "/" + std::string(64, 'x') + "...");
}

TEST(JsonPath, QuotedTextIsEscapedAndCut) {
    EXPECT_EQ(in_quotes("wt"), "\"wt\"");
    EXPECT_EQ(in_quotes("a\"b\n"), R"("a\"b\n")");
    EXPECT_EQ(in_quotes(std::string(70, 'y')), "\"" + std::string(64, 'y') + "...\"");
}

}  // namespace
}  // namespace sheaf::json
