#include "control/iso_image.h"

#include <gtest/gtest.h>

namespace sheaf::control {
namespace {

constexpr WallClock::TimePoint made{std::chrono::seconds{1'800'000'000}};

std::uint32_t number_at(const std::string& image, std::size_t at) {
    std::uint32_t number = 0;
    for (int byte = 3; byte >= 0; --byte)
        number = number << 8 | static_cast<unsigned char>(image[at + static_cast<unsigned>(byte)]);
    return number;
}

// Reads the root directory as ECMA-119 says: name and content of every file.
std::vector<std::pair<std::string, std::string>> files_of(const std::string& image,
                                                          std::size_t descriptor) {
    std::vector<std::pair<std::string, std::string>> found;
    const auto root = descriptor * 2048 + 156;
    const auto begin = number_at(image, root + 2) * 2048;
    const auto end = begin + number_at(image, root + 10);
    for (auto at = begin; at < end && image[at] != 0; at += static_cast<unsigned char>(image[at])) {
        const auto data = number_at(image, at + 2) * 2048;
        const auto size = number_at(image, at + 10);
        const auto name = image.substr(at + 33, static_cast<unsigned char>(image[at + 32]));
        if (image[at + 25] == 0) found.emplace_back(name, image.substr(data, size));
    }
    return found;
}

TEST(IsoImage, HasTheFilesInBothTrees) {
    const std::vector<IsoFile> files{{"meta-data", "{}\n"}, {"user-data", std::string(5000, 'x')}};
    const auto image = make_iso_image("cidata", files, made).value();
    EXPECT_EQ(image.size() % 4096, 0U);
    EXPECT_EQ(image.substr(16 * 2048, 7), "\1CD001\1");
    EXPECT_EQ(image.substr(16 * 2048 + 40, 8), "cidata  ");
    EXPECT_EQ(number_at(image, 16 * 2048 + 80), image.size() / 2048);
    const auto primary = files_of(image, 16);
    ASSERT_EQ(primary.size(), 2U);
    EXPECT_EQ(primary[0].first, "META-DATA.;1");
    EXPECT_EQ(primary[0].second, "{}\n");
    EXPECT_EQ(primary[1].second, files[1].content);
    const auto joliet = files_of(image, 17);
    ASSERT_EQ(joliet.size(), 2U);
    const std::string meta{"\0m\0e\0t\0a\0-\0d\0a\0t\0a", 18};
    EXPECT_EQ(joliet[0].first, meta);
    EXPECT_EQ(joliet[1].second, files[1].content);
}

TEST(IsoImage, WhatDoesNotFitIsRefused) {
    std::vector<IsoFile> files{{"a", std::string((16 << 20) + 1, 'x')}};
    EXPECT_EQ(make_iso_image("cidata", files, made).error().kind(), Kind::invalid);
    for (const auto* name : {"", "A", "a/b", "0123456789012345678901234567890"}) {
        files = {{name, ""}};
        EXPECT_FALSE(make_iso_image("cidata", files, made)) << name;
    }
    files.assign(21, {"a", ""});
    EXPECT_FALSE(make_iso_image("cidata", files, made));
    EXPECT_FALSE(make_iso_image("01234567890123456", {}, made));
    files.assign(20, {std::string(30, 'a'), ""});
    EXPECT_TRUE(make_iso_image("0123456789012345", files, made));
}

TEST(IsoImage, EmptyFilesAndNoneAreFine) {
    EXPECT_TRUE(files_of(make_iso_image("x", {}, made).value(), 16).empty());
    const std::vector<IsoFile> files{{"a", ""}, {"b", "1"}};
    const auto image = make_iso_image("x", files, made).value();
    EXPECT_EQ(files_of(image, 16)[0].second, "");
    EXPECT_EQ(files_of(image, 16)[1].second, "1");
}

}  // namespace
}  // namespace sheaf::control
