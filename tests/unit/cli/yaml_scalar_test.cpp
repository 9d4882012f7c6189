#include "cli/yaml_scalar.h"

#include <gtest/gtest.h>

namespace sheaf::cli {
namespace {

TEST(YamlScalars, ThatReadersDisagreeOnAreInQuotes) {
    for (const auto* word : {"on", "off", "n", "1:30", "1", "1.5", "", "<<", "0o17", "a: b"})
        EXPECT_FALSE(is_plain_string(word)) << word;
    for (const auto* word :
         {"web", "512Mi", "v1", "kubevirt.io/v1", "10.0.0.1/24", "a b", "x86_64"})
        EXPECT_TRUE(is_plain_string(word)) << word;
}

TEST(YamlScalars, KeepLargeNumbers) {
    EXPECT_EQ(plain_scalar("18446744073709551615")->text(), "18446744073709551615");
    EXPECT_EQ(plain_scalar("1e400")->text(), "\"1e400\"");
    EXPECT_FALSE(plain_scalar(".nan"));
}

}  // namespace
}  // namespace sheaf::cli
