#include "storage/image/decompressor.h"

#include <random>

#include "base/bytes.h"
#include "base/units.h"
#include "packed.h"

namespace sheaf::image {
namespace {

class Methods : public testing::TestWithParam<Compression> {
  protected:
    static std::vector<std::byte> pack(std::span<const std::byte> bytes) {
        return GetParam() == Compression::zstd ? zstandard(bytes) : deflated(bytes);
    }
    std::unique_ptr<Decompressor> decompressor = Decompressor::create(GetParam()).value();
};

INSTANTIATE_TEST_SUITE_P(All, Methods, testing::Values(Compression::zlib, Compression::zstd));

TEST_P(Methods, GivesAsMuchAsIsAskedFor) {
    const auto plain = letters(64_KiB);
    auto packed = pack(plain);
    packed.resize(packed.size() + 300, std::byte{0x77});  // whatever follows in the sector
    for (const std::size_t length : {1ul, 512ul, 65535ul, 65536ul}) {
        std::vector<std::byte> out(length);
        ASSERT_TRUE(decompressor->expand(packed, out)) << length;
        EXPECT_TRUE(std::ranges::equal(out, std::span{plain}.first(length))) << length;
    }
}

TEST_P(Methods, ALessLongStreamIsDamaged) {
    const auto plain = letters(4096);
    const auto packed = pack(plain);
    std::vector<std::byte> out(8192);
    EXPECT_EQ(decompressor->expand(packed, out).error().kind(), Kind::corrupt);
    out.resize(4096);
    for (std::size_t length = 0; length + 8 < packed.size(); ++length)
        EXPECT_FALSE(decompressor->expand(std::span{packed}.first(length), out)) << length;
    EXPECT_TRUE(decompressor->expand(packed, out)) << "not as good as new after a failure";
}

TEST_P(Methods, NoiseIsNoStream) {
    std::mt19937 random{3};
    std::vector<std::byte> noise(600);
    std::vector<std::byte> out(4096);
    for (unsigned round = 0; round < 200; ++round) {
        for (auto& byte : noise) byte = std::byte(random());
        static_cast<void>(decompressor->expand(noise, out));
    }
    for (auto& byte : noise) byte = std::byte{0xff};
    EXPECT_FALSE(decompressor->expand(noise, out));
}

TEST(Decompressor, WindowsThatNoClusterNeedsAreRefused) {
    // A frame that asks for a window of 128 MiB before it gives anything (RFC 8878, 3.1.1.1.2).
    const std::array frame{std::byte{0x28}, std::byte{0xb5}, std::byte{0x2f},
                           std::byte{0xfd}, std::byte{0x00}, std::byte{0x88},
                           std::byte{0x01}, std::byte{0x00}, std::byte{0x00}};
    const auto decompressor = Decompressor::create(Compression::zstd).value();
    std::vector<std::byte> out(4096);
    EXPECT_FALSE(decompressor->expand(frame, out));
}

}  // namespace
}  // namespace sheaf::image
