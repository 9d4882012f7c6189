#include "vmm/debug/packet.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::vmm::debug {
namespace {

using FrameKind = Frame::Kind;

// Everything in the text, in pieces of `step` bytes.
Result<std::vector<Frame>> read(std::string_view text, std::size_t step = 1) {
    auto reader = FrameReader{};
    auto frames = std::vector<Frame>{};
    while (!text.empty()) {
        auto piece = as_bytes(text.substr(0, step));
        text.remove_prefix(piece.size());
        while (!piece.empty())
            if (auto frame = TRY(reader.next(piece))) frames.push_back(*std::move(frame));
    }
    return frames;
}

TEST(Packet, IsReadWhereverTheStreamIsCut) {
    for (std::size_t step = 1; step < 20; ++step) {
        const auto frames = read("+$qSupported#37\x03$OK#9a-", step);
        ASSERT_TRUE(frames) << frames.error().text();
        ASSERT_EQ(frames->size(), 5u);
        EXPECT_EQ((*frames)[0].kind, FrameKind::acknowledged);
        EXPECT_EQ((*frames)[1].kind, FrameKind::packet);
        EXPECT_EQ((*frames)[1].payload, "qSupported");
        EXPECT_EQ((*frames)[2].kind, FrameKind::interrupt);
        EXPECT_EQ((*frames)[3].payload, "OK");
        EXPECT_EQ((*frames)[4].kind, FrameKind::refused);
    }
}

TEST(Packet, AWrongChecksumIsADamagedPacket) {
    for (const auto* text : {"$OK#9b", "$OK#zz", "$OK#9g", "$KO#00"}) {
        const auto frames = read(text);
        ASSERT_TRUE(frames);
        ASSERT_EQ(frames->size(), 1u) << text;
        EXPECT_EQ(frames->front().kind, FrameKind::damaged) << text;
    }
}

TEST(Packet, EscapesAreUndone) {
    const auto frames = read("$X}\x03}\x04}]}\x0a#ba");
    ASSERT_TRUE(frames);
    ASSERT_EQ(frames->size(), 1u);
    EXPECT_EQ(frames->front().payload, "X#$}*");
}

TEST(Packet, WhatIsFramedIsReadBack) {
    auto payload = std::string{};
    for (int value = 0; value < 256; ++value) payload.push_back(static_cast<char>(value));
    const auto frames = read(make_frame(payload), 7);
    ASSERT_TRUE(frames);
    ASSERT_EQ(frames->size(), 1u);
    EXPECT_EQ(frames->front().payload, payload);
    EXPECT_EQ(make_frame(""), "$#00");
}

TEST(Packet, AByteOutsideOfAPacketIsNamed) {
    const auto frames = read("GET / HTTP/1.1");
    ASSERT_FALSE(frames);
    EXPECT_EQ(frames.error().kind(), Kind::invalid);
    EXPECT_TRUE(frames.error().text().contains("0x47")) << frames.error().text();
}

TEST(Packet, AnEndlessPacketIsRefusedAtTheLimit) {
    EXPECT_TRUE(read("$" + std::string(packet_limit, 'a'), 100));
    const auto frames = read("$" + std::string(packet_limit + 1, 'a'), 100);
    ASSERT_FALSE(frames);
    EXPECT_EQ(frames.error().kind(), Kind::exhausted);
}

}  // namespace
}  // namespace sheaf::vmm::debug
