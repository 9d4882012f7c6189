#include "http/websocket_client.h"

#include <gtest/gtest.h>

namespace sheaf::http {
namespace {

ServerFrames::Frame only(std::string bytes) {
    ServerFrames frames;
    frames.add(bytes);
    auto frame = frames.next();
    EXPECT_TRUE(frame && *frame);
    return frame && *frame ? **frame : ServerFrames::Frame{};
}

TEST(ServerFrames, AreOfAnyLength) {
    EXPECT_EQ(only("\x82\x02hi").payload, "hi");
    EXPECT_EQ(only("\x01\x02hi").type, ServerFrames::Type::data);
    const std::string long_text(300, 'x');
    EXPECT_EQ(only(std::string{"\x82\x7e\x01\x2c"} + long_text).payload, long_text);
    const std::string longer(70'000, 'y');
    const std::string head{"\x82\x7f\0\0\0\0\0\x01\x11\x70", 10};
    EXPECT_EQ(only(head + longer).payload, longer);
    EXPECT_EQ(only(std::string{"\x88\x02\x03\xe8"}).type, ServerFrames::Type::close);
    EXPECT_EQ(only(std::string{"\x89\x01x"}).type, ServerFrames::Type::ping);
}

TEST(ServerFrames, ComeByteByByte) {
    ServerFrames frames;
    const std::string bytes{
        "\x82\x7e\x00\x03"
        "abc\x8a\x00",
        9};
    std::string seen;
    for (const char byte : bytes) {
        frames.add({&byte, 1});
        const auto frame = frames.next();
        ASSERT_TRUE(frame);
        if (*frame)
            seen +=
                (*frame)->payload + (frame->value().type == ServerFrames::Type::pong ? "!" : ";");
    }
    EXPECT_EQ(seen, "abc;!");
}

TEST(ServerFrames, ThatAreNoneAreRefused) {
    for (const std::string& bytes :
         {std::string{"\xf2\x00", 2}, std::string{"\x83\x00", 2}, std::string{"\x8b\x00", 2},
          std::string{"\x82\x80", 2}, std::string{"\x89\x7e", 2}, std::string{"\x09\x01", 2},
          std::string{"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"}}) {
        ServerFrames frames;
        frames.add(bytes);
        EXPECT_FALSE(frames.next());
    }
}

}  // namespace
}  // namespace sheaf::http
