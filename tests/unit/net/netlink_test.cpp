#include "net/netlink.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::net {
namespace {

TEST(Netlink, AttributesAreReadAsTheyWereWritten) {
    NetlinkRequest request{1, 0};
    request.attribute(3, "name");
    const auto nest = request.begin(7);
    request.attribute(1, bytes_of(std::uint32_t{42}));
    request.end(nest);
    const auto message = std::move(request).finish();
    const auto attributes = parse_attributes(std::span{message}.subspan(sizeof(nlmsghdr))).value();
    EXPECT_EQ(text_of(attributes, 3), "name");
    EXPECT_EQ(text_of(attributes, 4), "");
    const auto inner = parse_attributes(attributes.at(7)).value();
    EXPECT_EQ(number_of(inner, 1), 42U);
    EXPECT_EQ(number_of(inner, 2), 0U);
}

TEST(Netlink, AttributesThatAreCutShortAreRefused) {
    for (const auto length : {0, 3, 9, 65535}) {
        nlattr head{static_cast<std::uint16_t>(length), 1};
        std::vector<std::byte> bytes(8);
        store(std::span{bytes}, head);
        EXPECT_FALSE(parse_attributes(bytes)) << length;
    }
}

TEST(NetlinkRequest, LengthsAreThoseOfTheMessage) {
    auto request = NetlinkRequest{16, NLM_F_ACK};
    const auto nest = request.begin(18);
    request.attribute(1, "vlan");  // 4 + 5, padded to 12
    request.end(nest);
    const auto bytes = std::move(request).finish();
    ASSERT_EQ(bytes.size(), 16u + 4u + 12u);
    EXPECT_EQ(load<nlmsghdr>(bytes).nlmsg_len, bytes.size());
    EXPECT_EQ(load<nlmsghdr>(bytes).nlmsg_flags, NLM_F_ACK | NLM_F_REQUEST);
    EXPECT_EQ(load<nlattr>(std::span{bytes}.subspan(16)).nla_len, 16);
    EXPECT_EQ(load<nlattr>(std::span{bytes}.subspan(20)).nla_len, 9);
}

TEST(NetlinkRequest, TheKernelsRefusalIsTheError) {
    const auto socket = open_netlink(NETLINK_ROUTE);
    ASSERT_TRUE(socket) << socket.error().text();
    auto request = NetlinkRequest{0x7ff0, NLM_F_ACK};  // no such message
    request.append(bytes_of(std::array<std::uint32_t, 4>{}));
    const auto answer = ask_kernel(*socket, std::move(request).finish());
    ASSERT_FALSE(answer);
    EXPECT_NE(answer.error().os_error(), 0);
}

}  // namespace
}  // namespace sheaf::net
