#include "storage/image/qcow2.h"

#include <gtest/gtest.h>

#include "base/units.h"
#include "image_bytes.h"
#include "io/sim_loop.h"
#include "io/task_group.h"
#include "packed.h"

namespace sheaf::image {
namespace {

using storage::Extent;
constexpr auto cluster = ImageBytes::cluster;
constexpr auto copied = std::uint64_t{1} << 63;
constexpr auto compressed_bit = std::uint64_t{1} << 62;

// An image on a simulated disk.
class Qcow2Reader : public testing::Test {
  protected:
    void open(const ImageBytes& bytes) {
        const auto outcome = try_open(bytes);
        ASSERT_TRUE(outcome) << outcome.error().text();
    }
    Result<void> try_open(const ImageBytes& bytes) {
        image.reset();
        disk.set_content(bytes.bytes());
        return io::run(*loop, open_it(bytes.bytes().size()));
    }
    io::Task<void> open_it(std::uint64_t size) {
        auto file = co_await loop->open(disk);
        image = co_await Qcow2::open(*loop, std::move(file), size);
    }
    Result<std::string> read(std::uint64_t offset, std::size_t length) {
        std::string text(length, '?');
        const std::array pieces{iovec{text.data(), length / 2},
                                iovec{text.data() + length / 2, length - length / 2}};
        TRY(io::run(*loop, image->read(offset, pieces)));
        return text;
    }
    std::string content(std::uint64_t offset, std::size_t length) {
        const auto found = read(offset, length);
        EXPECT_TRUE(found) << found.error().text();
        return found.value_or("");
    }
    std::string error(std::uint64_t offset, std::size_t length, Kind kind) {
        const auto found = read(offset, length);
        if (found) return "was read";
        EXPECT_EQ(found.error().kind(), kind);
        return found.error().text();
    }
    io::Task<void> ask(std::uint64_t offset, std::uint64_t length, std::size_t most) {
        told = co_await image->extents(offset, length, most);
    }
    std::vector<Extent> extents(std::uint64_t offset, std::uint64_t length,
                                std::size_t most = 100) {
        told.clear();
        const auto outcome = io::run(*loop, ask(offset, length, most));
        EXPECT_TRUE(outcome) << outcome.error().text();
        return told;
    }

    std::vector<Extent> told;
    io::SimDisk disk{0, 1};
    std::unique_ptr<io::SimLoop> loop = io::SimLoop::create(1).value();
    std::unique_ptr<Qcow2> image;
};

TEST_F(Qcow2Reader, ReadsDataHolesAndZeros) {
    auto bytes = ImageBytes{1_MiB};
    bytes.l1(0, 2 * cluster | copied).l2(0, 4 * cluster | copied).l2(1, 3 * cluster);
    bytes.l2(2, 1).l2(3, 5 * cluster | 1);
    bytes.fill(4 * cluster, cluster, 'x').fill(3 * cluster, cluster, 'y');
    bytes.fill(5 * cluster, cluster, 'z');
    open(bytes);
    EXPECT_EQ(image->geometry().size, 1_MiB);
    EXPECT_TRUE(image->geometry().read_only);
    EXPECT_EQ(content(0, cluster), std::string(cluster, 'x'));
    EXPECT_EQ(content(cluster - 512, 1024), std::string(512, 'x') + std::string(512, 'y'));
    EXPECT_EQ(content(2 * cluster, 3 * cluster), std::string(3 * cluster, '\0'));
    const std::vector<Extent> expected{{2 * cluster, Extent::Kind::data},
                                       {2 * cluster, Extent::Kind::zero},
                                       {1_MiB - 4 * cluster, Extent::Kind::hole}};
    EXPECT_EQ(extents(0, 1_MiB), expected);
    EXPECT_EQ(extents(512, 512), (std::vector<Extent>{{512, Extent::Kind::data}}));
    EXPECT_EQ(extents(0, 1_MiB, 1).size(), 1u);
}

TEST_F(Qcow2Reader, ARunOverManyClustersIsReadAtOnce) {
    auto bytes = ImageBytes{1_MiB};
    bytes.l1(0, 2 * cluster).l2(0, 3 * cluster).l2(1, 4 * cluster).l2(2, 5 * cluster);
    bytes.fill(3 * cluster, cluster, 'a').fill(4 * cluster, cluster, 'b');
    bytes.fill(5 * cluster, cluster, 'c');
    open(bytes);
    EXPECT_EQ(content(0, 3 * cluster),
              std::string(cluster, 'a') + std::string(cluster, 'b') + std::string(cluster, 'c'));
}

TEST_F(Qcow2Reader, ExpandsWhatIsCompressed) {
    const auto plain = letters(cluster);
    const auto packed = deflated(plain);
    auto bytes = ImageBytes{1_MiB};
    // Two clusters in one place of the file, as QEMU packs them: not at a sector's beginning.
    const auto first = 3 * cluster + 100;
    const auto second = first + packed.size();
    const auto descriptor = [&](std::uint64_t host) {
        const auto sectors = (host + packed.size() - 1) / 512 - host / 512;
        return compressed_bit | sectors << (62 - 4) | host;
    };
    bytes.l1(0, 2 * cluster).l2(0, descriptor(first)).l2(1, descriptor(second));
    bytes.put(first, packed).put(second, packed).resize(second + packed.size());
    open(bytes);
    const std::string expected{as_text(plain)};
    EXPECT_EQ(content(0, cluster), expected);
    EXPECT_EQ(content(cluster, cluster), expected);
    EXPECT_EQ(content(512, 1024), expected.substr(512, 1024));
    EXPECT_EQ(content(cluster - 512, 1024),
              expected.substr(cluster - 512) + expected.substr(0, 512));
    EXPECT_EQ(extents(0, 2 * cluster), (std::vector<Extent>{{2 * cluster, Extent::Kind::data}}));
}

TEST_F(Qcow2Reader, ExpandsZstd) {
    const auto plain = letters(cluster);
    const auto packed = zstandard(plain);
    auto bytes = ImageBytes{1_MiB};
    bytes.number(72, 8).word(100, 112).word(104, 1 << 24);
    bytes.l1(0, 2 * cluster).l2(0, compressed_bit | std::uint64_t{3} << 58 | 3 * cluster);
    bytes.put(3 * cluster, packed);
    open(bytes);
    EXPECT_EQ(content(0, cluster), as_text(plain));
    bytes.fill(3 * cluster, 4, 'x');
    open(bytes);
    EXPECT_EQ(error(0, cluster, Kind::corrupt), "a compressed cluster is damaged (zstd)");
}

TEST_F(Qcow2Reader, ReadsSubclusters) {
    constexpr std::uint64_t size = 16_KiB;  // of a cluster; its subclusters have 512 bytes
    auto bytes = ImageBytes{1_MiB, 3, 16};
    bytes.word(20, 14).number(72, 16).number(40, size).word(36, 1);
    // Subcluster 0 data, 1 zeros, 2 nothing, 3 to 31 data.
    bytes.number(size, 2 * size).number(2 * size, 3 * size);
    bytes.number(2 * size + 8, (std::uint64_t{2} << 32) | 0xffff'fff9);
    bytes.fill(3 * size, size, 'd');
    open(bytes);
    EXPECT_EQ(content(0, 2048),
              std::string(512, 'd') + std::string(1024, '\0') + std::string(512, 'd'));
    const std::vector<Extent> expected{{512, Extent::Kind::data},
                                       {512, Extent::Kind::zero},
                                       {512, Extent::Kind::hole},
                                       {size - 1536, Extent::Kind::data},
                                       {size, Extent::Kind::hole}};
    EXPECT_EQ(extents(0, 2 * size), expected);
    bytes.number(2 * size + 8, (std::uint64_t{2} << 32) | 2);
    open(bytes);
    EXPECT_EQ(error(512, 512, Kind::corrupt),
              "has a subcluster that cannot be: entry 0xc000, bitmap 0x200000002");
}

TEST_F(Qcow2Reader, WhatLiesOutsideTheFileIsAnError) {
    auto bytes = ImageBytes{4_MiB};
    bytes.l1(0, 2 * cluster).l2(0, 8 * cluster).l2(1, 3 * cluster + 512);
    bytes.l2(2, compressed_bit | 9 * cluster).l1(1, 8 * cluster);
    open(bytes);
    EXPECT_EQ(error(0, 512, Kind::corrupt),
              "has data at 32768, beyond the file's end at 32768: it was cut short");
    EXPECT_EQ(error(cluster, 512, Kind::corrupt), "has data at 12800, which begins no cluster");
    EXPECT_EQ(error(2 * cluster, 512, Kind::corrupt),
              "has data at 36864, beyond the file's end at 32768: it was cut short");
    EXPECT_EQ(error(2_MiB, 512, Kind::corrupt),
              "has an L2 table at 32768, beyond the file's end at 32768: it was cut short");
    open(bytes.l1(0, 2 * cluster + 512));
    EXPECT_EQ(error(0, 512, Kind::corrupt), "has an L2 table at 8704, which begins no cluster");
}

TEST_F(Qcow2Reader, TheLastClusterMayBeThereInPart) {
    auto bytes = ImageBytes{1_MiB};
    bytes.l1(0, 2 * cluster).l2(0, 7 * cluster).fill(7 * cluster, 1000, 'p');
    open(bytes.resize(7 * cluster + 1000));
    EXPECT_EQ(content(0, cluster), std::string(1000, 'p') + std::string(cluster - 1000, '\0'));
}

TEST_F(Qcow2Reader, ATableMayPointAtItselfOrAtAnything) {
    auto bytes = ImageBytes{2_MiB};
    open(bytes.l1(0, cluster));
    EXPECT_EQ(content(0, 512).substr(0, 8), (std::string{"\0\0\0\0\0\0\x10\0", 8}));
    EXPECT_EQ(extents(0, 2_MiB).front().kind, Extent::Kind::data);
}

TEST_F(Qcow2Reader, AnEmptyDiskOfManyTablesIsWalkedInFewSteps) {
    auto bytes = ImageBytes{1_GiB * 8};
    bytes.resize(64 * cluster);
    open(bytes);
    EXPECT_EQ(extents(0, 1_GiB * 8), (std::vector<Extent>{{1_GiB * 8, Extent::Kind::hole}}));
    EXPECT_EQ(content(1_GiB * 8 - 512, 512), std::string(512, '\0'));
}

TEST_F(Qcow2Reader, AWalkOverTablesWithoutEndGivesWhatItHas) {
    // 16 GiB, of which every table is the same and has nothing in it.
    auto bytes = ImageBytes{1_GiB * 16, 3, 64};
    for (std::uint64_t table = 0; table < 1_GiB * 16 / 2_MiB; ++table)
        bytes.l1(table, 40 * cluster);
    open(bytes);
    const auto some = extents(0, 1_GiB * 16);
    ASSERT_EQ(some.size(), 1u);
    EXPECT_EQ(some[0].kind, Extent::Kind::hole);
    EXPECT_GE(some[0].length, 1_GiB);
    EXPECT_LT(some[0].length, 1_GiB * 16);
}

TEST_F(Qcow2Reader, RefusesWhatIsNotOnTheDiskAndEveryChange) {
    open(ImageBytes{1_MiB});
    EXPECT_EQ(error(1_MiB, 512, Kind::invalid),
              "512 bytes at 1048576 are not on a disk of 1048576 bytes");
    EXPECT_FALSE(read(~std::uint64_t{511}, 1024));
    EXPECT_FALSE(read(100, 512));
    EXPECT_FALSE(io::run(*loop, ask(0, 2_MiB, 1)));
    EXPECT_FALSE(io::run(*loop, image->write(0, {})));
    EXPECT_FALSE(io::run(*loop, image->discard(0, 512)));
    EXPECT_FALSE(io::run(*loop, image->zero(0, 512, storage::Space::keep)));
    EXPECT_TRUE(io::run(*loop, image->flush()));
}

TEST_F(Qcow2Reader, VersionTwoHasNoClustersOfZeros) {
    auto bytes = ImageBytes{1_MiB, 2};
    open(bytes.l1(0, 2 * cluster).l2(0, 1));
    EXPECT_EQ(error(0, 512, Kind::corrupt),
              "has a cluster of zeros, which version 2 does not know");
}

TEST_F(Qcow2Reader, AFileThatEndsInItsHeaderIsRefused) {
    const auto outcome = try_open(ImageBytes{1_MiB}.resize(60));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().text(), "ends within its header");
}

}  // namespace
}  // namespace sheaf::image
