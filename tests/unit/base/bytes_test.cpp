#include "base/bytes.h"

#include <array>
#include <cstdint>

#include <gtest/gtest.h>

namespace sheaf {
namespace {

struct Pair {
    std::uint16_t first;
    std::uint16_t second;
};

static_assert(WireStruct<Pair>);
struct Padded {
    std::uint8_t small;
    std::uint32_t large;
};
static_assert(!WireStruct<Padded>, "padding would leak what was on the stack");

static_assert(WireStruct<std::uint64_t> && WireStruct<std::array<std::byte, 16>>);
static_assert(!WireStruct<std::span<const std::byte>> && !WireStruct<std::span<std::byte, 4>>);
static_assert(!WireStruct<std::string_view> && !WireStruct<const char*>);

TEST(Bytes, LoadAndStoreAtAnyAlignment) {
    std::array<std::byte, 6> bytes{};
    store(std::span{bytes}.subspan(1), Pair{0x1234, 0xabcd});
    EXPECT_EQ(bytes[1], std::byte{0x34});
    EXPECT_EQ(bytes[4], std::byte{0xab});
    const auto pair = load<Pair>(std::span{bytes}.subspan(1));
    EXPECT_EQ(pair.first, 0x1234);
    EXPECT_EQ(pair.second, 0xabcd);
}

TEST(Bytes, RegistersAreZeroExtendedAndCut) {
    std::array<std::byte, 10> bytes{};
    bytes.fill(std::byte{0xff});
    EXPECT_EQ(load_register(std::span{bytes}.first(1)), 0xffu);
    EXPECT_EQ(load_register(std::span{bytes}.first(3)), 0xffffffu);
    EXPECT_EQ(load_register(bytes), ~std::uint64_t{0});

    store_register(bytes, 0x0102030405060708);
    EXPECT_EQ(bytes[0], std::byte{8});
    EXPECT_EQ(bytes[7], std::byte{1});
    EXPECT_EQ(bytes[9], std::byte{0});
    store_register(std::span{bytes}.first(2), 0xaabbccdd);
    EXPECT_EQ(load_register(std::span{bytes}.first(2)), 0xccddu);
    EXPECT_EQ(bytes[2], std::byte{6});
}

TEST(ByteReader, WalksAndStopsAtTheEnd) {
    auto reader = ByteReader{as_bytes("abcdef")};
    EXPECT_EQ(as_text(reader.take(2).value()), "ab");
    EXPECT_EQ(reader.take<Pair>().value().first, 0x6463);
    const auto beyond = reader.take(1);
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().kind(), Kind::corrupt);
    EXPECT_EQ(beyond.error().text(), "needs 1 bytes, has 0");
}

TEST(ByteReader, AHugeLengthIsRefusedAndTakesNothing) {
    auto reader = ByteReader{as_bytes("abc")};
    EXPECT_FALSE(reader.take(~std::size_t{0}));
    EXPECT_FALSE(reader.take<Pair>());
    EXPECT_EQ(as_text(reader.rest()), "abc");
}

}  // namespace
}  // namespace sheaf
