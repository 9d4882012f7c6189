#include "net/mac_address.h"

#include <gtest/gtest.h>

namespace sheaf::net {
namespace {

TEST(MacAddress, IsReadAndWritten) {
    const auto address = parse_mac_address("52:54:00:Ab:cd:0f");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->octets[3], 0xab);
    EXPECT_EQ(to_string(*address), "52:54:00:ab:cd:0f");
}

TEST(MacAddress, RefusesWhatIsNone) {
    for (const auto* text :
         {"", "52:54:00:12:34", "52:54:00:12:34:5", "52:54:00:12:34:567", "52-54-00-12-34-56",
          "52:54:00:12:34:5g", "+2:54:00:12:34:56", "52:54:00:12:34:56 ", "00:00:00:00:00:00",
          "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff"})
        EXPECT_FALSE(parse_mac_address(text)) << text;
}

}  // namespace
}  // namespace sheaf::net
