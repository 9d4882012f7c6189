#include "storage/image/export.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/units.h"
#include "io/make_loop.h"
#include "memory_disk.h"
#include "storage/disk_file.h"
#include "storage/image/qcow2_writer.h"
#include "storage/image/source.h"

namespace sheaf::image {
namespace {

class Exports : public testing::Test {
  protected:
    Exports() {
        std::string name = testing::TempDir() + "sheaf-export-XXXXXX";
        folder = ::mkdtemp(name.data());
        path = folder / "image";
    }
    ~Exports() override { std::filesystem::remove_all(folder); }

    Result<void> write(MemoryDisk& disk, Format format, Existing existing = Existing::refuse) {
        return io::run(*loop, export_disk(*loop, disk, disk, path.string(), format, existing, {}));
    }
    io::Task<void> copy_back(MemoryDisk& into) {
        auto fd = co_await storage::open_buffered(path.string());
        source = co_await Source::open(*loop, std::move(fd));
        into.content.assign(source->block().geometry().size, '?');
        const iovec piece{into.content.data(), into.content.size()};
        co_await source->block().read(0, std::span{&piece, 1});
    }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{folder},
                                                      std::filesystem::directory_iterator{}));
    }

    std::filesystem::path folder;
    std::filesystem::path path;
    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    std::unique_ptr<Source> source;
};

MemoryDisk sparse(std::uint64_t size) {
    MemoryDisk disk{size};
    disk.content.replace(0, 5, "begin");
    disk.content.replace(200_KiB, 100_KiB, std::string(100_KiB, 'x'));
    disk.content.replace(size - 512, 512, std::string(512, 'e'));
    return disk;
}

TEST_F(Exports, BothFormatsHoldWhatTheDiskHolds) {
    for (const auto format : {Format::raw, Format::qcow2}) {
        // No multiple of a cluster, and more than one table of the small kind.
        auto disk = sparse(20_MiB + 4096 + 512);
        const auto outcome = write(disk, format, Existing::replace);
        ASSERT_TRUE(outcome) << outcome.error().text();
        MemoryDisk back{0};
        const auto read = io::run(*loop, copy_back(back));
        ASSERT_TRUE(read) << read.error().text();
        EXPECT_EQ(source->format(), format);
        EXPECT_TRUE(back.content == disk.content);
        EXPECT_EQ(files(), 1u);
    }
}

TEST_F(Exports, HolesStayHoles) {
    auto disk = sparse(64_MiB);
    ASSERT_TRUE(write(disk, Format::raw));
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(static_cast<std::uint64_t>(status.st_size), 64_MiB);
    EXPECT_LE(static_cast<std::uint64_t>(status.st_blocks) * 512, 256_KiB);
    ASSERT_TRUE(write(disk, Format::qcow2, Existing::replace));
    EXPECT_LE(std::filesystem::file_size(path), 10 * 64_KiB);
}

TEST_F(Exports, WhatIsThereIsNotTouchedUnlessAsked) {
    std::ofstream{path} << "precious";
    auto disk = sparse(1_MiB);
    const auto outcome = write(disk, Format::raw);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::exists);
    EXPECT_EQ(outcome.error().text(), path.string() + " is there already");
    EXPECT_EQ(std::filesystem::file_size(path), 8u);
    EXPECT_TRUE(write(disk, Format::raw, Existing::replace));
    EXPECT_EQ(std::filesystem::file_size(path), 1_MiB);
    EXPECT_EQ(files(), 1u);
}

TEST_F(Exports, OneThatFailsLeavesNothing) {
    auto disk = sparse(1_MiB);
    disk.fails_at = 200_KiB;
    for (const auto format : {Format::raw, Format::qcow2}) {
        const auto outcome = write(disk, format);
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().text(), path.string() + ": told to fail");
        EXPECT_EQ(files(), 0u);
    }
    std::ofstream{path} << "precious";
    EXPECT_FALSE(write(disk, Format::qcow2, Existing::replace));
    EXPECT_EQ(std::filesystem::file_size(path), 8u);
    EXPECT_EQ(files(), 1u);
}

TEST_F(Exports, AFullFileSystemLeavesNothing) {
    // A limit on the size of files is the full disk that every machine has.
    auto disk = sparse(8_MiB);
    disk.content.assign(8_MiB, 'x');
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{4_MiB, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto outcome = write(disk, Format::qcow2);
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    static_cast<void>(std::signal(SIGXFSZ, handler));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(files(), 0u);
}

TEST_F(Exports, TheDirectoryMustBeThere) {
    path = folder / "missing" / "image";
    auto disk = sparse(1_MiB);
    const auto outcome = write(disk, Format::raw);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::not_found);
    path = folder / "";
    EXPECT_FALSE(write(disk, Format::raw));
}

TEST_F(Exports, ADiskTooLargeForTheFormatIsRefused) {
    ASSERT_TRUE(write(*std::make_unique<MemoryDisk>(1_MiB), Format::raw));
    auto file = volume::File::create(*loop, storage::open_buffered(path.string()).value());
    ASSERT_TRUE(file);
    EXPECT_TRUE(Qcow2Writer::create(*file, std::uint64_t{1} << 51));
    const auto writer = Qcow2Writer::create(*file, (std::uint64_t{1} << 51) + 512);
    ASSERT_FALSE(writer);
    EXPECT_EQ(writer.error().kind(), Kind::unsupported);
}

}  // namespace
}  // namespace sheaf::image
