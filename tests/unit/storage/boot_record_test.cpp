#include "storage/boot_record.h"

#include <vector>

#include <boost/crc.hpp>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/units.h"

namespace sheaf::storage {
namespace {

// A disk in memory, with the few structures that firmware looks for.
class Image {
  public:
    explicit Image(std::size_t size = 1_MiB) : bytes_(size) {}

    Image& text(std::size_t at, std::string_view words) {
        std::ranges::copy(as_bytes(words), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
        return *this;
    }
    template <WireStruct T>
    Image& number(std::size_t at, T value) {
        store(std::span{bytes_}.subspan(at), value);
        return *this;
    }
    Image& mbr() { return text(510, "\x55\xaa"); }
    // One copy of a GPT, its header in `sector` and its 128 entries from `entries` on.
    Image& gpt(std::uint64_t sector, std::uint64_t entries) {
        const auto at = sector * 512;
        text(at, "EFI PART");
        number(at + 12, std::uint32_t{92});
        number(at + 24, sector);
        number(at + 72, entries);
        number(at + 80, std::uint32_t{128});
        number(at + 84, std::uint32_t{128});
        number(entries * 512, std::uint64_t{0x1234});  // a partition
        number(at + 88, crc(entries * 512, 128 * 128));
        return number(at + 16, crc(at, 92));
    }
    Image& iso(std::size_t number, std::uint8_t type, std::string_view system = {}) {
        const auto at = (16 + number) * 2048;
        this->number(at, type);
        return text(at + 1, "CD001\x01").text(at + 7, system);
    }
    Result<void> check() const {
        return check_boot_record(
            [this](std::uint64_t position, std::span<std::byte> into) -> Result<void> {
                if (position + into.size() > bytes_.size()) return fail(Kind::io, "past the end");
                std::ranges::copy(std::span{bytes_}.subspan(position, into.size()), into.begin());
                return {};
            },
            bytes_.size());
    }
    std::uint64_t last_sector() const { return bytes_.size() / 512 - 1; }

  private:
    std::uint32_t crc(std::size_t at, std::size_t length) const {
        auto crc = boost::crc_32_type{};
        crc.process_bytes(&bytes_[at], length);
        return crc.checksum();
    }
    std::vector<std::byte> bytes_;
};

Kind kind_of(const Image& image) {
    const auto outcome = image.check();
    EXPECT_FALSE(outcome);
    return outcome ? Kind::io : outcome.error().kind();
}

TEST(BootRecord, WhatFirmwareFollowsIsFound) {
    EXPECT_TRUE(Image{}.mbr().check());
    EXPECT_TRUE(Image{}.gpt(1, 2).check());
    EXPECT_TRUE(Image{}.iso(0, 1).iso(1, 0, "EL TORITO SPECIFICATION").iso(2, 255).check());
}

TEST(BootRecord, NothingIsSaidToBeNothing) {
    EXPECT_EQ(kind_of(Image{}), Kind::invalid);
    EXPECT_EQ(kind_of(Image{512}), Kind::invalid);
    EXPECT_EQ(kind_of(Image{2048 * 17}), Kind::invalid);
    EXPECT_EQ(kind_of(Image{}.text(600, "some data")), Kind::invalid);
}

TEST(BootRecord, AnIsoWithoutABootCatalogueDoesNotStart) {
    EXPECT_EQ(kind_of(Image{}.iso(0, 1).iso(1, 255)), Kind::invalid);
    // Behind the terminator nothing counts.
    EXPECT_EQ(kind_of(Image{}.iso(0, 255).iso(1, 0, "EL TORITO SPECIFICATION")), Kind::invalid);
    EXPECT_EQ(kind_of(Image{}.iso(0, 0, "SOMETHING ELSE").iso(1, 255)), Kind::invalid);
}

TEST(BootRecord, OneSoundCopyOfTheGptIsEnough) {
    Image image;
    image.gpt(1, 2).gpt(image.last_sector(), image.last_sector() - 32);
    EXPECT_TRUE(image.check());
    image.number(512 + 40, std::uint64_t{7});
    EXPECT_TRUE(image.check());
    image.number(image.last_sector() * 512 + 40, std::uint64_t{7});
    EXPECT_EQ(kind_of(image), Kind::corrupt);
    EXPECT_EQ(kind_of(image.mbr()), Kind::corrupt);  // the protective one
}

TEST(BootRecord, AGptThatIsGoneIsMissed) {
    const auto outcome = Image{}.mbr().number(446 + 4, std::uint8_t{0xee}).check();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::corrupt);
    EXPECT_NE(outcome.error().text().find("gone"), std::string::npos);
    // Any of the four partitions may be the protective one.
    EXPECT_EQ(kind_of(Image{}.mbr().number(446 + 48 + 4, std::uint8_t{0xee})), Kind::corrupt);
}

TEST(BootRecord, LeftoversOfAnOlderGptDoNotMatter) {
    Image image;
    image.gpt(image.last_sector(), image.last_sector() - 32);
    image.number(image.last_sector() * 512 + 40, std::uint64_t{7});
    EXPECT_EQ(kind_of(image), Kind::corrupt);
    image.mbr().number(446 + 4, std::uint8_t{0xef});
    EXPECT_TRUE(image.check());
}

TEST(BootRecord, EveryPartOfAGptIsChecked) {
    const auto damaged = [](std::size_t at) {
        return kind_of(Image{}.gpt(1, 2).number(at, std::uint32_t{0x55555555}));
    };
    EXPECT_EQ(damaged(512 + 12), Kind::corrupt);    // header size
    EXPECT_EQ(damaged(512 + 16), Kind::corrupt);    // its checksum
    EXPECT_EQ(damaged(512 + 24), Kind::corrupt);    // own sector
    EXPECT_EQ(damaged(512 + 72), Kind::corrupt);    // where the entries are
    EXPECT_EQ(damaged(512 + 80), Kind::corrupt);    // how many
    EXPECT_EQ(damaged(1024 + 300), Kind::corrupt);  // an entry
}

TEST(BootRecord, ImagesOfOtherFormatsAreNamed) {
    const auto outcome = Image{}.text(0, "QFI\xfb").mbr().check();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::unsupported);
    EXPECT_NE(outcome.error().text().find("qcow2"), std::string::npos);
    EXPECT_EQ(kind_of(Image{}.text(0, "vhdxfile")), Kind::unsupported);
}

}  // namespace
}  // namespace sheaf::storage
