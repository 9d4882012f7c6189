#include "storage/image/file_extents.h"

#include <gtest/gtest.h>

#include "base/units.h"
#include "io/make_loop.h"
#include "io/task_group.h"
#include "unit/storage/scratch_file.h"

namespace sheaf::image {
namespace {

using storage::Extent;

class FileHoles : public testing::TestWithParam<std::string> {
  protected:
    io::Task<void> ask(std::uint64_t offset, std::uint64_t length, std::size_t most) {
        FileExtents extents{Fd{::dup(file.number())}, 1_MiB};
        found = co_await extents.extents(offset, length, most);
    }
    Result<void> extents(std::uint64_t offset, std::uint64_t length, std::size_t most = 10) {
        return io::run(*loop, ask(offset, length, most));
    }

    storage::ScratchFile file{1_MiB, GetParam()};
    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    std::vector<Extent> found;
};

INSTANTIATE_TEST_SUITE_P(Places, FileHoles, testing::Values("/tmp", "/dev/shm"));

TEST_P(FileHoles, AreWhereNothingWasWritten) {
    ASSERT_EQ(::pwrite(file.number(), "x", 1, 64 << 10), 1);
    ASSERT_EQ(::pwrite(file.number(), "x", 1, 512 << 10), 1);
    ASSERT_TRUE(extents(0, 1_MiB));
    // How much a byte takes is the file system's choice.
    ASSERT_EQ(found.size(), 5u);
    EXPECT_EQ(found[0], (Extent{64_KiB, Extent::Kind::hole}));
    EXPECT_EQ(found[1].kind, Extent::Kind::data);
    EXPECT_EQ(found[1].length + found[2].length, 448_KiB);
    EXPECT_EQ(found[4].kind, Extent::Kind::hole);
    ASSERT_TRUE(extents(32_KiB, 32_KiB + 512));
    EXPECT_EQ(found,
              (std::vector<Extent>{{32_KiB, Extent::Kind::hole}, {512, Extent::Kind::data}}));
    ASSERT_TRUE(extents(0, 1_MiB, 2));
    EXPECT_EQ(found.size(), 2u);
}

TEST_P(FileHoles, AnEmptyFileIsOneHole) {
    ASSERT_TRUE(extents(0, 1_MiB));
    EXPECT_EQ(found, (std::vector<Extent>{{1_MiB, Extent::Kind::hole}}));
}

TEST_P(FileHoles, NothingIsSaidOfWhatIsNotThere) {
    EXPECT_FALSE(extents(0, 2_MiB));
    EXPECT_FALSE(extents(~std::uint64_t{0}, 512));
}

}  // namespace
}  // namespace sheaf::image
