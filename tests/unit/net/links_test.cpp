#include "net/links.h"

#include <sched.h>

#include <functional>
#include <thread>

#include <gtest/gtest.h>

namespace sheaf::net {
namespace {

// Runs in a network namespace of its own, which goes with all that is in it.
void in_namespace(const std::function<void(const Links&)>& work) {
    bool allowed = true;
    std::jthread{[&] {
        allowed = ::unshare(CLONE_NEWNET) == 0;
        if (allowed) work(Links::open().value());
    }}.join();
    if (!allowed) GTEST_SKIP() << "needs the right to make a network namespace";
}

Link found(const Links& links, const std::string& name) {
    const auto link = links.find(name);
    EXPECT_TRUE(link && *link) << name;
    return link && *link ? **link : Link{};
}

TEST(Links, ABridgeIsMadeIsFoundAndGoes) {
    in_namespace([](const Links& links) {
        EXPECT_EQ(links.find("br0").value(), std::nullopt);
        const auto made = links.make_bridge("br0", "sheaf:uid");
        ASSERT_TRUE(made) << made.error().text();
        auto bridge = found(links, "br0");
        EXPECT_EQ(bridge.kind, "bridge");
        EXPECT_EQ(bridge.alias, "sheaf:uid");
        EXPECT_FALSE(bridge.up);
        EXPECT_TRUE(links.set_up(bridge));
        EXPECT_TRUE(found(links, "br0").up);
        EXPECT_EQ(links.make_bridge("br0", "other").error().kind(), Kind::exists);
        EXPECT_EQ(found(links, "br0").alias, "sheaf:uid");
        for (const auto* text : {"10.0.0.1/24", "10.0.0.1/24", "fd00::1/64"}) {
            const auto added = links.add_address(bridge, parse_address(text).value());
            EXPECT_TRUE(added) << added.error().text();
        }
        EXPECT_TRUE(links.remove(bridge));
        EXPECT_TRUE(links.remove(bridge));
        EXPECT_EQ(links.find("br0").value(), std::nullopt);
    });
}

TEST(Links, ATapStaysAndIsAPortOfItsBridge) {
    in_namespace([](const Links& links) {
        ASSERT_TRUE(links.make_bridge("br0", "sheaf:a"));
        const auto made = links.make_tap("tap0", "sheaf:b");
        ASSERT_TRUE(made) << made.error().text();
        const auto tap = found(links, "tap0");
        const auto bridge = found(links, "br0");
        EXPECT_EQ(tap.kind, "tun");
        EXPECT_EQ(tap.alias, "sheaf:b");
        EXPECT_EQ(tap.bridge, 0U);
        EXPECT_TRUE(links.put_into(tap, bridge));
        EXPECT_EQ(found(links, "tap0").bridge, bridge.index);
        EXPECT_EQ(links.make_tap("tap0", "x").error().kind(), Kind::exists);
        EXPECT_EQ(links.all().value().size(), 3U);  // and the loopback
        EXPECT_TRUE(links.remove(tap));
        EXPECT_EQ(links.find("tap0").value(), std::nullopt);
    });
}

TEST(Links, HundredsAreAllSeen) {
    in_namespace([](const Links& links) {
        for (int number = 0; number < 150; ++number)
            ASSERT_TRUE(links.make_bridge(fmt::format("br{}", number), std::string(100, 'a')));
        EXPECT_EQ(links.all().value().size(), 151U);
    });
}

TEST(Links, NamesAndAddressesThatCannotBeAreRefused) {
    for (const auto* name : {"", ".", "..", "a/b", "a b", "0123456789abcdef", "a:b"})
        EXPECT_EQ(check_link_name(name).error().kind(), Kind::invalid) << name;
    EXPECT_TRUE(check_link_name("0123456789abcde"));
    for (const auto* text : {"", "10.0.0.1", "10.0.0/24", "10.0.0.1/33", "10.0.0.1/", "fd00::/129",
                             "10.0.0.1/2x", "x/8"})
        EXPECT_EQ(parse_address(text).error().kind(), Kind::invalid) << text;
    EXPECT_EQ(parse_address("10.0.0.1/24").value().bytes, std::string("\12\0\0\1", 4));
}

}  // namespace
}  // namespace sheaf::net
