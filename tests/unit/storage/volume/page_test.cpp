#include "storage/volume/page.h"

#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::volume {
namespace {

constexpr Id ours{1, 2, 3};

class Pages : public testing::Test {
  protected:
    Pages() : bytes(page_size, std::byte{7}) { seal(bytes, name, 42); }
    PageName name{PageKind::slots, ours, 5};
    std::vector<std::byte> bytes;
};

TEST_F(Pages, ProveWhatTheyAre) {
    const auto header = check(bytes, name);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->sequence, 42u);
}

TEST_F(Pages, AreDamagedByAnyFlippedBit) {
    for (std::size_t place = 0; place < bytes.size(); ++place) {
        bytes[place] ^= std::byte{0x10};
        EXPECT_FALSE(check(bytes, name)) << place;
        bytes[place] ^= std::byte{0x10};
    }
    EXPECT_TRUE(check(bytes, name));
}

TEST_F(Pages, DoNotPassForAnother) {
    EXPECT_EQ(check(bytes, {PageKind::log, ours, 5}).error().kind(), Kind::corrupt);
    EXPECT_EQ(check(bytes, {PageKind::slots, Id{9}, 5}).error().kind(), Kind::corrupt);
    EXPECT_EQ(check(bytes, {PageKind::slots, ours, 6}).error().kind(), Kind::corrupt);
    const std::vector<std::byte> nothing(page_size);
    EXPECT_EQ(check(nothing, name).error().kind(), Kind::corrupt);
}

TEST_F(Pages, OfANewerVersionAreNotGuessedAt) {
    store<std::uint16_t>(std::span{bytes}.subspan(12), 2);
    EXPECT_EQ(check(bytes, name).error().kind(), Kind::unsupported);
}

}  // namespace
}  // namespace sheaf::volume
