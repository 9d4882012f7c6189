#include "http/url.h"

#include <gtest/gtest.h>

namespace sheaf::http {
namespace {

TEST(Urls, NameAServer) {
    const auto url = parse_url("https://etcd-0.example:2379/").value();
    EXPECT_TRUE(url.secure);
    EXPECT_EQ(url.peer.host, "etcd-0.example");
    EXPECT_EQ(url.peer.port, "2379");
    EXPECT_EQ(url.text(), "https://etcd-0.example:2379");
    EXPECT_EQ(parse_url("http://10.0.0.1").value().text(), "http://10.0.0.1:80");
    EXPECT_EQ(parse_url("https://[::1]:1").value().peer.host, "::1");
    EXPECT_EQ(parse_url("https://[fe80::1%eth0]").value().text(), "https://[fe80::1%eth0]:443");
}

TEST(Urls, WhatIsNoneIsRefusedAndShown) {
    for (const auto* text :
         {"", "etcd", "ftp://a", "https://", "https://:1", "http://a:", "http://a:0",
          "http://a:65536", "http://a:1x", "http://a/path", "http://user@a", "http://a?b",
          "http://[::1", "http://[]", "http://[::1]x", "http://a b", "http://a\r\nX: y"}) {
        const auto url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().kind(), Kind::invalid);
        EXPECT_EQ(url.error().text().find('\n'), std::string::npos);
    }
}

}  // namespace
}  // namespace sheaf::http
