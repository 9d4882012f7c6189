// Words that say where a server of copies is, and what may be said there without a certificate.

#include "storage/replica/address.h"

#include <gtest/gtest.h>

#include "storage/replica/dialer.h"

namespace sheaf::replica {
namespace {

TEST(Addresses, AreWhatTheySay) {
    for (const auto* word :
         {"10.0.0.1:7000", "[fd00::1]:7000", "storage-1.example:1", "unix:/run/a"})
        EXPECT_EQ(parse_address(word)->text(), word);
    EXPECT_EQ(parse_address("[fd00::1]:7000")->port.host, "fd00::1");
    EXPECT_EQ(parse_address("unix:/run/a")->path, "/run/a");
}

TEST(Addresses, AreRefusedByName) {
    for (const auto* word : {"", "a", "a:", ":1", "a:70000", "a:-1", "a:1x", "fd00::1", "[fd00::1]",
                             "[a]:1", "a b:1", "unix:", "a\n:1"}) {
        const auto parsed = parse_address(word);
        ASSERT_FALSE(parsed) << word;
        EXPECT_EQ(parsed.error().kind(), Kind::invalid);
        EXPECT_NE(parsed.error().text().find("is no address"), std::string::npos);
    }
}

TEST(Addresses, OfThisHostAreKnown) {
    for (const auto* word : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "unix:x"})
        EXPECT_TRUE(parse_address(word)->is_local()) << word;
    for (const auto* word : {"0.0.0.0:1", "128.0.0.1:1", "[::]:1", "localhost.example:1"})
        EXPECT_FALSE(parse_address(word)->is_local()) << word;
}

TEST(Addresses, NeedACertificateWhereOthersMayListen) {
    const auto here = parse_address("127.0.0.1:1").value();
    const auto there = parse_address("10.0.0.1:1").value();
    const auto socket = parse_address("unix:x").value();
    for (const auto plain : {Plain::never, Plain::on_loopback}) {
        EXPECT_EQ(uses_tls(socket, true, plain), false);
        EXPECT_EQ(uses_tls(there, true, plain), true);
        EXPECT_EQ(uses_tls(there, false, plain).error().kind(), Kind::denied);
    }
    EXPECT_EQ(uses_tls(here, true, Plain::never), true);
    EXPECT_EQ(uses_tls(here, true, Plain::on_loopback), false);
    EXPECT_EQ(uses_tls(here, false, Plain::on_loopback), false);
    EXPECT_EQ(uses_tls(here, false, Plain::never).error().kind(), Kind::denied);
}

}  // namespace
}  // namespace sheaf::replica
