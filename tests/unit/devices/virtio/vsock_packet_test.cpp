#include "devices/virtio/vsock_packet.h"

#include <gtest/gtest.h>

namespace sheaf::virtio {
namespace {

constexpr std::uint64_t cid = 7;

VsockHeader good() {
    return {.source_cid = cid, .destination_cid = 2, .length = 10};
}

Result<VsockHeader> take(const VsockHeader& header, std::size_t payload, std::size_t cut = 0) {
    std::vector<std::byte> bytes(sizeof(header) + payload - cut);
    const auto from = bytes_of(header);
    std::copy_n(from.begin(), std::min(from.size(), bytes.size()), bytes.begin());
    iovec piece{bytes.data(), bytes.size()};
    Readable packet{std::span{&piece, 1}};
    return take_vsock_header(packet, cid);
}

TEST(VsockPacket, APacketSaysHowLongItIs) {
    EXPECT_TRUE(take(good(), 10));
    EXPECT_TRUE(take(good(), 11));
    EXPECT_FALSE(take(good(), 9));
    EXPECT_FALSE(take(good(), 0, 1));
    auto endless = good();
    endless.length = ~0U;
    EXPECT_FALSE(take(endless, 10));
}

TEST(VsockPacket, AGuestSpeaksForItselfToItsHostAlone) {
    auto other = good();
    other.source_cid = cid + 1;
    EXPECT_FALSE(take(other, 10));
    other = good();
    other.destination_cid = 3;
    EXPECT_FALSE(take(other, 10));
    other.destination_cid = 2 + (1ULL << 32);
    EXPECT_FALSE(take(other, 10));
}

TEST(VsockPacket, AWindowLiesWithinItsPieces) {
    std::array<std::byte, 30> bytes{};
    const std::array pieces{iovec{bytes.data(), 10}, iovec{bytes.data() + 10, 10},
                            iovec{bytes.data() + 20, 10}};
    std::vector<iovec> window;
    make_window(pieces, 5, 10, window);
    ASSERT_EQ(window.size(), 2u);
    EXPECT_EQ(window[0].iov_base, bytes.data() + 5);
    EXPECT_EQ(window[0].iov_len, 5u);
    EXPECT_EQ(window[1].iov_base, bytes.data() + 10);
    EXPECT_EQ(window[1].iov_len, 5u);
    make_window(pieces, 10, 100, window);
    ASSERT_EQ(window.size(), 2u);
    EXPECT_EQ(window[0].iov_base, bytes.data() + 10);
    EXPECT_EQ(window[1].iov_len, 10u);
    make_window(pieces, 30, 1, window);
    EXPECT_TRUE(window.empty());
    make_window(pieces, 0, 0, window);
    EXPECT_TRUE(window.empty());
    const std::vector<iovec> many(2000, iovec{bytes.data(), 1});
    make_window(many, 0, 2000, window);
    EXPECT_EQ(window.size(), 1024u) << "what the kernel takes at once";
}

}  // namespace
}  // namespace sheaf::virtio
