#include "storage/image/fresh_file.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace sheaf::image {
namespace {

class FreshFiles : public testing::TestWithParam<std::string> {
  protected:
    FreshFiles() {
        std::string name = GetParam() + "/sheaf-fresh-XXXXXX";
        folder = ::mkdtemp(name.data());
        path = folder / "file";
    }
    ~FreshFiles() override { std::filesystem::remove_all(folder); }

    bool empty() const { return std::filesystem::is_empty(folder); }
    std::string content() const {
        std::ifstream stream{path};
        return {std::istreambuf_iterator<char>{stream}, {}};
    }

    std::filesystem::path folder;
    std::filesystem::path path;
};

INSTANTIATE_TEST_SUITE_P(Places, FreshFiles, testing::Values("/tmp", "/dev/shm"));

TEST_P(FreshFiles, AppearsWholeOrNotAtAll) {
    {
        auto file = FreshFile::create(path.string(), Existing::refuse).value();
        ASSERT_EQ(::write(file.descriptor().get(), "content", 7), 7);
        EXPECT_FALSE(std::filesystem::exists(path));
    }
    EXPECT_TRUE(empty());
    auto file = FreshFile::create(path.string(), Existing::refuse).value();
    ASSERT_EQ(::write(file.descriptor().get(), "content", 7), 7);
    ASSERT_TRUE(file.keep());
    EXPECT_EQ(content(), "content");
}

TEST_P(FreshFiles, OneThatAppearedMeanwhileStays) {
    auto file = FreshFile::create(path.string(), Existing::refuse).value();
    std::ofstream{path} << "faster";
    const auto outcome = file.keep();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::exists);
    EXPECT_EQ(content(), "faster");
    EXPECT_FALSE(FreshFile::create(path.string(), Existing::refuse));
}

TEST_P(FreshFiles, ReplacesAFileAndNothingElse) {
    std::ofstream{path} << "old";
    {
        auto file = FreshFile::create(path.string(), Existing::replace).value();
        ASSERT_EQ(::write(file.descriptor().get(), "new", 3), 3);
        EXPECT_EQ(content(), "old");
        ASSERT_TRUE(file.keep());
    }
    EXPECT_EQ(content(), "new");
    std::filesystem::remove(path);
    std::filesystem::create_directory(path);
    const auto outcome = FreshFile::create(path.string(), Existing::replace);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().text(), path.string() + " is no regular file");
}

}  // namespace
}  // namespace sheaf::image
