#include "storage/image/qcow2_header.h"

#include <gtest/gtest.h>

#include "base/units.h"
#include "image_bytes.h"

namespace sheaf::image {
namespace {

Result<Qcow2Header> parse(const ImageBytes& image) {
    return parse_qcow2_header(image.bytes(), image.bytes().size());
}
std::string refusal(const ImageBytes& image, Kind kind) {
    const auto parsed = parse(image);
    if (parsed) return "accepted";
    EXPECT_EQ(parsed.error().kind(), kind) << parsed.error().text();
    return parsed.error().text();
}
ImageBytes sound() {
    return ImageBytes{1_MiB};
}

TEST(Qcow2Header, SaysWhatTheFileSays) {
    const auto header = parse(sound());
    ASSERT_TRUE(header) << header.error().text();
    EXPECT_EQ(header->size, 1_MiB);
    EXPECT_EQ(header->cluster_size(), 4096u);
    EXPECT_EQ(header->l2_coverage(), 2_MiB);
    EXPECT_EQ(header->l1_entries, 1u);
    EXPECT_TRUE(parse(ImageBytes{1_MiB, 2}));
}

TEST(Qcow2Header, VersionTwoHasNoFeatures) {
    auto image = ImageBytes{1_MiB, 2};
    EXPECT_TRUE(parse(image.number(72, ~std::uint64_t{0})));
}

TEST(Qcow2Header, RefusesByNameWhatItCannotRead) {
    constexpr std::string_view name = "/else/base \x01.raw";
    auto backed = sound();
    backed.put(512, as_bytes(name)).number(8, 512).word(16, name.size());
    EXPECT_EQ(refusal(backed, Kind::unsupported),
              "has the backing file \"/else/base \\u0001.raw\"; make it one file with qemu-img "
              "convert");
    EXPECT_EQ(refusal(sound().word(32, 2), Kind::unsupported),
              "is encrypted (LUKS); decrypt it with qemu-img convert");
    EXPECT_EQ(refusal(sound().number(72, 2), Kind::corrupt),
              "is marked as corrupt; look at it with qemu-img check");
    auto external = sound().number(72, 4).word(104, 0x44415441).word(108, 4);
    EXPECT_EQ(refusal(external.put(112, as_bytes("data")), Kind::unsupported),
              "keeps its data in another file, \"data\"; make it one file with qemu-img convert");
    auto unknown = sound().number(72, 1 << 9).word(104, 0x6803f857).word(108, 48);
    EXPECT_EQ(refusal(unknown, Kind::unsupported), "needs the unknown qcow2 feature 9");
    unknown.put(112, as_bytes(std::string_view{"\0\x09", 2})).put(114, as_bytes("teleport"));
    EXPECT_EQ(refusal(unknown, Kind::unsupported),
              "needs the unknown qcow2 feature 9 (\"teleport\")");
    EXPECT_EQ(refusal(sound().word(4, 1), Kind::unsupported),
              "is a qcow image of version 1; 2 and 3 are supported");
    EXPECT_EQ(refusal(sound().word(20, 22), Kind::unsupported),
              "has clusters of 2^22 bytes; 2^9 to 2^21 are supported");
}

TEST(Qcow2Header, ADirtyImageIsReadForItsCountsAreOfNoUse) {
    EXPECT_TRUE(parse(sound().number(72, 1)));
}

TEST(Qcow2Header, TellsHowItIsCompressed) {
    auto zstd = sound().number(72, 8).word(100, 112).word(104, 1 << 24);
    ASSERT_TRUE(parse(zstd));
    EXPECT_EQ(parse(zstd)->compression, Compression::zstd);
    EXPECT_EQ(refusal(zstd.word(104, 2 << 24), Kind::unsupported),
              "is compressed by the unknown method 2");
    EXPECT_EQ(refusal(zstd.word(104, 0), Kind::corrupt),
              "contradicts itself about how it is compressed");
}

TEST(Qcow2Header, TablesLieInTheFileAndCoverTheDisk) {
    EXPECT_EQ(refusal(sound().number(40, 4097), Kind::corrupt),
              "has an L1 table at 4097, which begins no cluster");
    EXPECT_EQ(refusal(sound().number(40, 8 * 4096), Kind::corrupt),
              "has an L1 table at 32768 that reaches beyond the file's end at 32768");
    EXPECT_EQ(refusal(sound().number(40, ~std::uint64_t{4095}), Kind::corrupt),
              "has an L1 table at 18446744073709547520 that reaches beyond the file's end at "
              "32768");
    EXPECT_EQ(refusal(sound().number(24, 3_MiB), Kind::corrupt),
              "has an L1 table of 1 entries for a disk that needs 2");
    EXPECT_EQ(refusal(sound().number(24, ~std::uint64_t{511}), Kind::corrupt),
              "has an L1 table of 1 entries for a disk that needs 8796093022208");
    EXPECT_EQ(refusal(sound().word(36, ~0u), Kind::unsupported),
              "has an L1 table of 34359738360 bytes, at most 33554432 are supported");
    EXPECT_EQ(refusal(sound().number(24, 1000), Kind::unsupported),
              "has a disk of 1000 bytes, which are no whole sectors");
}

TEST(Qcow2Header, EveryBeginningOfAHeaderIsRefused) {
    const auto image = sound();
    for (std::size_t length = 0; length < 104; ++length) {
        const auto head = std::span{image.bytes()}.first(length);
        EXPECT_FALSE(parse_qcow2_header(head, length)) << length;
    }
}

}  // namespace
}  // namespace sheaf::image
