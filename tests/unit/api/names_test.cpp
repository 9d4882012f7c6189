#include "api/names.h"

#include <string>

#include <gtest/gtest.h>

namespace sheaf::api {
namespace {

TEST(Names, HaveTheGrammarsOfKubernetes) {
    for (const auto* text : {"a", "a-b", "0", "a.b-c.d"}) EXPECT_TRUE(is_subdomain(text)) << text;
    for (const auto* text : {"", "A", "-a", "a-", "a..b", ".a", "a.", "a_b", "a/b", "a b", "ä"})
        EXPECT_FALSE(is_subdomain(text)) << text;
    EXPECT_TRUE(is_label(std::string(63, 'a')));
    EXPECT_FALSE(is_label(std::string(64, 'a')));
    EXPECT_FALSE(is_label("a.b"));
    EXPECT_FALSE(is_subdomain(std::string(254, 'a')));
    for (const auto* text : {"app", "A_b.c", "example.org/App"})
        EXPECT_TRUE(is_qualified_name(text)) << text;
    for (const auto* text : {"", "/a", "a/", "a/b/c", "-a", "Example/x"})
        EXPECT_FALSE(is_qualified_name(text)) << text;
    EXPECT_TRUE(is_label_value(""));
    EXPECT_FALSE(is_label_value("a b"));
}

TEST(Names, QuantitiesAndTimesAreTold) {
    for (const auto* text : {"0", "1.5", ".5", "5.", "512Mi", "100m", "1e3", "1E-3", "+1", "2Ei"})
        EXPECT_TRUE(is_quantity(text)) << text;
    for (const auto* text : {"", "-1", "Mi", "1 Gi", "1gi", "1e", "1e1000", "1.2.3", ".", "0x1"})
        EXPECT_FALSE(is_quantity(text)) << text;
    for (const auto* text :
         {"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00+01:00"})
        EXPECT_TRUE(is_time(text)) << text;
    for (const auto* text : {"", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00:00.Z",
                             "2026-01-31 12:00:00Z", "2026-01-31T12:00:00+0100"})
        EXPECT_FALSE(is_time(text)) << text;
}

}  // namespace
}  // namespace sheaf::api
