#include "storage/disk_file.h"

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "base/units.h"
#include "scratch_file.h"

namespace sheaf::storage {
namespace {

std::string refusal(const std::string& path, Access access = Access::read_write) {
    const auto disk = open_disk(path, access);
    return disk ? "opened"
                : std::string{to_string(disk.error().kind())} + ": " + disk.error().text();
}

TEST(DiskFile, SaysWhatIsWrongWithAPath) {
    EXPECT_EQ(refusal("/nowhere/disk.raw"), "not_found: disk /nowhere/disk.raw: does not exist");
    EXPECT_EQ(refusal("/tmp"), "invalid: disk /tmp: is a directory");
    EXPECT_EQ(refusal("/dev/null"),
              "invalid: disk /dev/null: is neither a regular file nor a block device");
    const ScratchFile empty{0};
    EXPECT_EQ(refusal(empty.path()), "invalid: disk " + empty.path() + ": is empty");
    const ScratchFile odd{1000};
    EXPECT_EQ(refusal(odd.path()),
              "invalid: disk " + odd.path() + ": its size of 1000 bytes is not a multiple of 512");
}

TEST(DiskFile, APipeIsRefusedWithoutBeingOpened) {
    const ScratchFile place{0};
    const auto path = place.path() + ".fifo";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_TRUE(refusal(path).starts_with("invalid: "));
    ::unlink(path.c_str());
}

TEST(DiskFile, HasOneWriter) {
    const ScratchFile file{1_MiB};
    {
        const auto first = open_disk(file.path(), Access::read_write);
        ASSERT_TRUE(first) << first.error().text();
        const auto expected = "conflict: disk " + file.path() + ": in use by another process";
        EXPECT_EQ(refusal(file.path()), expected);
        EXPECT_EQ(refusal(file.path(), Access::read_only), expected);
    }
    EXPECT_EQ(refusal(file.path()), "opened") << "the lock goes with the descriptor";
}

TEST(DiskFile, HasManyReaders) {
    const ScratchFile file{1_MiB};
    const auto first = open_disk(file.path(), Access::read_only);
    const auto second = open_disk(file.path(), Access::read_only);
    EXPECT_TRUE(first && second);
    EXPECT_TRUE(refusal(file.path()).starts_with("conflict: "));
}

TEST(DiskFile, TheLockPassesWithACopyOfTheDescriptor) {
    const ScratchFile file{1_MiB};
    auto first = open_disk(file.path(), Access::read_write);
    ASSERT_TRUE(first);
    const auto copy = first->duplicate();
    first->reset();
    EXPECT_TRUE(refusal(file.path()).starts_with("conflict: "));
}

TEST(DiskFile, LeavesThePageCacheOutWhereItCan) {
    for (const auto* folder : {"/tmp", "/dev/shm"}) {
        const ScratchFile file{1_MiB, folder};
        const auto disk = open_disk(file.path(), Access::read_write);
        ASSERT_TRUE(disk);
        const auto direct = (::fcntl(disk->get(), F_GETFL) & O_DIRECT) != 0;
        const auto alignment = alignment_of(*disk);
        ASSERT_TRUE(alignment);
        if (!direct) {
            EXPECT_EQ(alignment->offset, 1u) << folder;
            continue;
        }
        EXPECT_GE(alignment->offset, 1u);
        EXPECT_LE(alignment->offset, 512u);
    }
}

TEST(DiskFile, KnowsTheSize) {
    const ScratchFile file{3_MiB};
    EXPECT_EQ(size_of(*open_disk(file.path(), Access::read_only)).value(), 3_MiB);
}

}  // namespace
}  // namespace sheaf::storage
