#include "http/websocket_frames.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::http {
namespace {

using Type = WebSocketEvent::Type;

// As a client sends it: with a mask.
std::string masked(unsigned first, std::string_view payload, unsigned length_byte = 0) {
    constexpr std::string_view mask = "\x37\xfa\x21\x3d";
    std::string frame;
    frame += static_cast<char>(first);
    frame += static_cast<char>(0x80 | (length_byte ? length_byte : payload.size()));
    if (length_byte == 126) {
        frame += static_cast<char>(payload.size() >> 8);
        frame += static_cast<char>(payload.size() & 0xff);
    }
    frame += mask;
    for (std::size_t place = 0; place < payload.size(); ++place)
        frame += static_cast<char>(payload[place] ^ mask[place % 4]);
    return frame;
}

std::expected<std::optional<WebSocketEvent>, CloseCode> first_of(std::string_view bytes) {
    WebSocketParser parser;
    parser.add(as_bytes(bytes));
    return parser.next();
}

TEST(WebSocketFrames, TheExampleOfTheSpecification) {
    EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_EQ(accept_key("short"), "");
    const auto hello =
        first_of(std::string_view{"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11});
    ASSERT_TRUE(hello && *hello);
    EXPECT_EQ((*hello)->payload, "Hello");
}

TEST(WebSocketFrames, PiecesBecomeAMessageWithControlFramesBetween) {
    WebSocketParser parser;
    const auto bytes = masked(0x02, "one ") + masked(0x89, "ping") + masked(0x00, "two ") +
                       masked(0x80, "three") + masked(0x88, std::string_view{"\x03\xe8", 2});
    std::vector<WebSocketEvent> events;
    for (const char byte : bytes) {
        parser.add(as_bytes(std::string_view{&byte, 1}));
        auto event = parser.next();
        ASSERT_TRUE(event);
        if (*event) events.push_back(**std::move(event));
    }
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[0].type, Type::ping);
    EXPECT_EQ(events[0].payload, "ping");
    EXPECT_EQ(events[1].type, Type::message);
    EXPECT_EQ(events[1].payload, "one two three");
    EXPECT_EQ(events[2].type, Type::close);
}

TEST(WebSocketFrames, WhatIsAgainstTheProtocolIsSaidSo) {
    const auto refused = [](std::string_view bytes, CloseCode code) {
        const auto event = first_of(bytes);
        ASSERT_FALSE(event) << bytes;
        EXPECT_EQ(event.error(), code);
    };
    refused(std::string_view{"\x82\x01x", 3}, CloseCode::protocol_error);  // without a mask
    refused(masked(0xc2, "x"), CloseCode::protocol_error);                 // a reserved bit
    refused(masked(0x83, "x"), CloseCode::protocol_error);                 // no such frame
    refused(masked(0x8b, "x"), CloseCode::protocol_error);
    refused(masked(0x80, "x"), CloseCode::protocol_error);  // goes on with nothing
    refused(masked(0x02, "x") + masked(0x82, "y"), CloseCode::protocol_error);
    refused(masked(0x09, "x"), CloseCode::protocol_error);  // a ping in pieces
    refused(masked(0x89, std::string(126, 'x'), 126), CloseCode::protocol_error);
    refused(masked(0x82, "x", 126), CloseCode::protocol_error);  // longer than need be
    refused(masked(0x88, "x"), CloseCode::protocol_error);       // half a code
    refused(masked(0x88, std::string_view{"\x03\xed", 2}), CloseCode::protocol_error);
    refused(masked(0x81, "\xff"), CloseCode::not_text);
    refused(std::string_view{"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14},
            CloseCode::too_big);
}

TEST(WebSocketFrames, AMessageIsBoundedHoweverManyItsPieces) {
    WebSocketParser parser;
    const std::string piece(60'000, 'x');
    parser.add(as_bytes(masked(0x02, piece, 126)));
    ASSERT_TRUE(parser.next());
    parser.add(as_bytes(masked(0x00, piece, 126)));
    const auto refused = parser.next();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), CloseCode::too_big);
}

TEST(WebSocketFrames, WhatAServerSendsHasTheShortestLength) {
    EXPECT_EQ(binary_frame("abc"),
              "\x82\x03"
              "abc");
    EXPECT_EQ(binary_frame(std::string(300, 'x')).substr(0, 4),
              std::string_view("\x82\x7e\x01\x2c", 4));
    EXPECT_EQ(binary_frame(std::string(70'000, 'x')).substr(0, 10),
              std::string_view("\x82\x7f\0\0\0\0\0\x01\x11\x70", 10));
    EXPECT_EQ(close_frame(CloseCode::normal), std::string_view("\x88\x02\x03\xe8", 4));
    EXPECT_EQ(pong_frame("p"), "\x8a\x01p");
}

}  // namespace
}  // namespace sheaf::http
