#include "storage/image/import.h"

#include <sys/mount.h>
#include <unistd.h>

#include "image_bytes.h"
#include "storage/aligned_buffer.h"
#include "storage/disk_file.h"
#include "storage/pool/about.h"
#include "storage/pool/held_layers.h"
#include "unit/storage/pool/scratch_pool.h"

namespace sheaf::image {
namespace {

class Imports : public pool::ScratchPool {
  protected:
    std::string file(std::string_view content, std::uint64_t size) {
        const auto name = (folder / "file").string();
        std::ofstream{name, std::ios::binary} << content;
        std::filesystem::resize_file(name, size);
        return name;
    }
    Result<void> import(const std::string& name, const std::string& from,
                        std::optional<std::string> sha256 = {}) {
        const auto show = [this](Stage stage, std::uint64_t done, std::uint64_t total) {
            (stage == Stage::checking ? checked : copied) = done == total;
        };
        Import wanted{name, from, std::move(sha256)};
        auto opened = TRY(storage::open_buffered(from));
        return io::run(*loop,
                       import_image(*loop, *pool, std::move(opened), std::move(wanted), show));
    }
    io::Task<void> read_it(std::string name, std::string& text) {
        const auto held = co_await pool->hold(pool::Shelf::images, name, "test");
        pool::HeldLayers layers{held};
        auto volume = co_await pool::open_volume(*loop, *pool, held, layers);
        storage::AlignedBuffer buffer{volume->geometry().size};
        const iovec piece{buffer.bytes().data(), buffer.bytes().size()};
        co_await volume->read(0, std::span{&piece, 1});
        text = as_text(buffer.bytes());
        co_await volume->shut_down();
    }
    std::string content(const std::string& name) {
        std::string text;
        const auto outcome = io::run(*loop, read_it(name, text));
        EXPECT_TRUE(outcome) << outcome.error().text();
        return text;
    }
    pool::VolumeAbout about(const std::string& name) {
        return pool::read_volume_about(pool->find(pool::Shelf::images, name).value()).value();
    }
    void expect_refused(Result<void> outcome, Kind kind, const std::string& text) {
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().kind(), kind);
        EXPECT_EQ(outcome.error().text(), text);
    }

    bool checked = false;
    bool copied = false;
};

TEST_F(Imports, ARawFileBecomesAnImageOfWholeBlocks) {
    const auto text = std::string(10000, 'a') + std::string(50000, '\0') + "b";
    const auto from = file(text, (1 << 20) + 512);
    const auto outcome = import("debian", from);
    ASSERT_TRUE(outcome) << outcome.error().text();
    EXPECT_TRUE(checked && copied);
    auto expected = text;
    expected.resize((1 << 20) + 4096);
    EXPECT_TRUE(content("debian") == expected);
    EXPECT_EQ(about("debian").source, from);
    // sha256sum of the same file.
    ASSERT_TRUE(about("debian").sha256);
    EXPECT_TRUE(import("again", from, about("debian").sha256));
    EXPECT_EQ(pool->names(pool::Shelf::images).value(),
              (std::vector<std::string>{"again", "debian"}));
}

TEST_F(Imports, ImagesOfTheSameBytesShareTheirLayers) {
    const auto from = file(std::string(10000, 'a'), 1 << 20);
    ASSERT_TRUE(import("debian", from));
    const auto expected = content("debian");
    const auto data = [this] {
        std::size_t files = 0;
        for (const auto& layer : std::filesystem::directory_iterator{pool->layers().path()})
            files += std::filesystem::file_size(layer.path() / "data") != 0 ? 1 : 0;
        return files;
    };
    const auto before = data();
    copied = false;
    const auto outcome = import("again", from);
    ASSERT_TRUE(outcome) << outcome.error().text();
    EXPECT_FALSE(copied);
    EXPECT_EQ(data(), before);
    EXPECT_TRUE(content("again") == expected);
    // Neither needs the other.
    ASSERT_TRUE(pool->remove(pool->hold(pool::Shelf::images, "debian", "test").value(),
                             pool::Shelf::images));
    EXPECT_TRUE(content("again") == expected);
}

TEST_F(Imports, AnImageThatCannotBeReadIsNotShared) {
    const auto from = file(std::string(10000, 'a'), 1 << 20);
    ASSERT_TRUE(import("debian", from));
    const auto expected = content("debian");
    for (const auto* journal : {"journal.0", "journal.1"})
        std::filesystem::resize_file(
            std::filesystem::path{pool->shelf(pool::Shelf::images).path()} / "debian" / journal, 0);
    copied = false;
    const auto outcome = import("again", from);
    ASSERT_TRUE(outcome) << outcome.error().text();
    EXPECT_TRUE(copied);
    EXPECT_TRUE(content("again") == expected);
}

TEST_F(Imports, AQcow2FileBecomesTheDiskInIt) {
    auto bytes = ImageBytes{3 << 20};
    bytes.l1(1, 2 * ImageBytes::cluster).l2(3, 3 * ImageBytes::cluster);
    bytes.fill(3 * ImageBytes::cluster, ImageBytes::cluster, 'q');
    ASSERT_TRUE(import("q", file(as_text(bytes.bytes()), bytes.bytes().size())));
    auto expected = std::string(3 << 20, '\0');
    expected.replace((2 << 20) + 3 * 4096, 4096, std::string(4096, 'q'));
    EXPECT_TRUE(content("q") == expected);
}

TEST_F(Imports, WhatIsRefusedLeavesNothing) {
    ASSERT_TRUE(import("there", file("x", 4096)));
    const auto before = everything();
    const auto from = file("y", 4096);
    const auto zeros = std::string(64, '0');
    const auto outcome = import("other", from, zeros);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::invalid);
    EXPECT_TRUE(outcome.error().text().starts_with(from + ": has the SHA-256 "))
        << outcome.error().text();
    EXPECT_TRUE(outcome.error().text().ends_with(", not " + zeros));
    expect_refused(import("there", from), Kind::exists, "image there: exists already");
    EXPECT_EQ(import("a/b", from).error().kind(), Kind::invalid);
    expect_refused(import("odd", file("y", 1000)), Kind::invalid,
                   from + ": has 1000 bytes, which are no whole sectors of 512");
    expect_refused(import("cut", file("QFI\xfb", 60)), Kind::corrupt,
                   from + ": ends within its header");
    EXPECT_EQ(everything(), before);
}

TEST_F(Imports, ADamagedFileLeavesNothing) {
    const auto before = everything();
    auto bytes = ImageBytes{3 << 20};
    bytes.l1(0, 2 * ImageBytes::cluster).l2(0, 3 * ImageBytes::cluster).l2(500, 1 << 30);
    const auto from = file(as_text(bytes.bytes()), bytes.bytes().size());
    EXPECT_EQ(import("q", from).error().kind(), Kind::corrupt);
    EXPECT_EQ(everything(), before);
}

TEST_F(Imports, ADiskLargerThanAnyVolumeIsRefused) {
    const auto from = file("x", 512);
    std::filesystem::resize_file(from, std::uint64_t{1} << 43);
    std::error_code failure;
    std::filesystem::resize_file(from, (std::uint64_t{1} << 44) + 512, failure);
    if (failure) GTEST_SKIP() << "no file so large can be made here";
    auto file = storage::open_buffered(from).value();
    Import wanted{"large", from, {}};
    const auto outcome =
        io::run(*loop, import_image(*loop, *pool, std::move(file), std::move(wanted), {}));
    expect_refused(outcome, Kind::unsupported,
                   from +
                       ": is a disk of 17592186044928 bytes (raw); at most 17592186044416 are "
                       "supported");
}

// A pool on a file system of its own, which is too small.
class SmallPool : public Imports {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
        if (::mount("none", path().c_str(), "tmpfs", 0, "size=96M,mode=0700") != 0)
            GTEST_SKIP() << "no tmpfs can be mounted here";
        mounted = true;
        pool = pool::Pool::open_or_make(path()).value();
    }
    void TearDown() override {
        pool.reset();
        if (mounted) ::umount2(path().c_str(), MNT_DETACH);
    }

    bool mounted = false;
};

TEST_F(SmallPool, AFullPoolIsAnErrorThatLeavesNothing) {
    const auto before = everything();
    const auto from = file(std::string(128 << 20, 'x'), 128 << 20);
    expect_refused(import("large", from), Kind::exhausted,
                   "importing " + from + ": there is no room for it in the pool");
    EXPECT_EQ(everything(), before);
}

}  // namespace
}  // namespace sheaf::image
