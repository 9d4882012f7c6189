#include "control/listen_address.h"

#include <gtest/gtest.h>

namespace sheaf::control {
namespace {

TEST(ListenAddresses, AreAddressesWithAPort) {
    const auto four = parse_listen_address("127.0.0.1:6444");
    ASSERT_TRUE(four);
    EXPECT_EQ(four->host, "127.0.0.1");
    EXPECT_EQ(four->port, 6444);
    const auto six = parse_listen_address("[::1]:0");
    ASSERT_TRUE(six);
    EXPECT_EQ(six->host, "::1");
    EXPECT_EQ(six->address.ss_family, AF_INET6);
}

TEST(ListenAddresses, WhatIsNoneIsRefusedByName) {
    for (const auto* text : {"", "localhost:1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
                             "127.0.0.1:65536", "::1:6444", "[::1]", "[127.0.0.1]:1", ":6444"}) {
        const auto parsed = parse_listen_address(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().kind(), Kind::invalid);
        EXPECT_NE(parsed.error().text().find(text), std::string::npos);
    }
}

TEST(ListenAddresses, OneIsListenedAtOnce) {
    auto address = parse_listen_address("127.0.0.1:0").value();
    const auto listener = listen_at(address, 1);
    ASSERT_TRUE(listener);
    const auto where = address_of(*listener);
    ASSERT_TRUE(where);
    const auto again = listen_at(parse_listen_address(*where).value(), 1);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind(), Kind::conflict);
}

}  // namespace
}  // namespace sheaf::control
