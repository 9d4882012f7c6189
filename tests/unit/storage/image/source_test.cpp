#include "storage/image/source.h"

#include <gtest/gtest.h>

#include "base/units.h"
#include "image_bytes.h"
#include "io/make_loop.h"
#include "storage/disk_file.h"
#include "unit/storage/scratch_file.h"

namespace sheaf::image {
namespace {

class Sources : public testing::Test {
  protected:
    io::Task<void> open_it(const std::string& path) {
        auto fd = co_await storage::open_buffered(path);
        source = co_await Source::open(*loop, std::move(fd));
    }
    Result<void> open(const storage::ScratchFile& file) {
        return io::run(*loop, open_it(file.path()));
    }
    io::Task<void> hash_it(const Fd& fd) {
        const auto tell = [this](std::uint64_t done, std::uint64_t) { told = done; };
        digest = co_await sha256_of(*loop, fd, tell);
    }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    std::unique_ptr<Source> source;
    std::string digest;
    std::uint64_t told = 0;
};

TEST_F(Sources, ARawFileIsADisk) {
    const storage::ScratchFile file{1_MiB + 512};
    ASSERT_TRUE(open(file));
    EXPECT_EQ(source->format(), Format::raw);
    EXPECT_EQ(source->block().geometry().size, 1_MiB + 512);
    EXPECT_TRUE(source->block().geometry().read_only);
}

TEST_F(Sources, AQcow2FileIsTheDiskInIt) {
    const storage::ScratchFile file{0};
    const ImageBytes bytes{3_MiB};
    ASSERT_EQ(::pwrite(file.number(), bytes.bytes().data(), bytes.bytes().size(), 0),
              static_cast<ssize_t>(bytes.bytes().size()));
    ASSERT_TRUE(open(file));
    EXPECT_EQ(source->format(), Format::qcow2);
    EXPECT_EQ(source->block().geometry().size, 3_MiB);
}

TEST_F(Sources, WhatIsNoDiskIsRefused) {
    const storage::ScratchFile empty{0};
    EXPECT_EQ(open(empty).error().text(), "is empty");
    const storage::ScratchFile odd{1000};
    EXPECT_EQ(open(odd).error().text(), "has 1000 bytes, which are no whole sectors of 512");
    const storage::ScratchFile nothing{0};
    const ImageBytes bytes{0};
    ASSERT_GT(::pwrite(nothing.number(), bytes.bytes().data(), bytes.bytes().size(), 0), 0);
    EXPECT_EQ(open(nothing).error().text(), "is an empty disk");
}

TEST_F(Sources, TheDigestIsThatOfTheFile) {
    const storage::ScratchFile file{0};
    ASSERT_EQ(::pwrite(file.number(), "abc", 3, 0), 3);
    const auto fd = storage::open_buffered(file.path()).value();
    ASSERT_TRUE(io::run(*loop, hash_it(fd)));
    EXPECT_EQ(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(told, 3u);
}

}  // namespace
}  // namespace sheaf::image
