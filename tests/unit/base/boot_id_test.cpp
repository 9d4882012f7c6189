#include "base/boot_id.h"

#include <gtest/gtest.h>

namespace sheaf {
namespace {

TEST(BootId, IsAUuidThatStays) {
    const auto id = boot_id();
    ASSERT_TRUE(id) << id.error().text();
    EXPECT_EQ(id->size(), 36);
    EXPECT_EQ(id->find_first_not_of("0123456789abcdef-"), std::string::npos) << *id;
    EXPECT_EQ(boot_id(), *id);
}

}  // namespace
}  // namespace sheaf
