#include "devices/virtio/blk.h"

#include <linux/virtio_blk.h>

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "ram_block.h"
#include "support/served_device.h"

namespace sheaf::virtio {
namespace {

struct Header {
    std::uint32_t type = 0;
    std::uint32_t reserved = 0;
    std::uint64_t sector = 0;
};
struct Range {
    std::uint64_t sector = 0;
    std::uint32_t count = 0;
    std::uint32_t flags = 0;
};
constexpr unsigned nothing = 256;  // instead of a status

class BlkTest : public testing::Test {
  protected:
    void serve(Features features = ~Features{0}) {
        device.emplace(disk, options);
        served.emplace(
            *loop, guest, *device,
            features & (device->traits().features | ring_event_index | ring_indirect_descriptors));
    }
    // The status that the chain just offered comes back with.
    unsigned status() {
        const auto used = served->answer(0);
        if (!used || used->written == 0) return nothing;
        answer = served->driver(0).written(*used);
        return std::to_integer<unsigned>(answer.back());
    }
    unsigned request(std::uint32_t type, std::uint64_t sector, std::span<const std::byte> out,
                     std::uint32_t in = 0) {
        auto chain = served->driver(0).chain();
        chain.readable(Header{.type = type, .reserved = 0, .sector = sector});
        if (!out.empty()) chain.readable(out);
        if (in > 0) chain.writable(in);
        chain.writable(1).offer();
        return status();
    }
    unsigned ranges(std::uint32_t type, std::initializer_list<Range> list) {
        const std::vector<Range> copy{list};
        return request(type, 0, std::as_bytes(std::span{copy}));
    }
    template <class T>
    T config(std::size_t offset) {
        T value{};
        device->read_config(static_cast<std::uint32_t>(offset),
                            std::as_writable_bytes(std::span{&value, 1}));
        return value;
    }
    static std::vector<std::byte> pattern(std::size_t size, unsigned seed = 0) {
        std::vector<std::byte> bytes(size);
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + seed);
        return bytes;
    }
    std::span<std::byte> on_disk(std::size_t offset, std::size_t size) {
        return std::span{disk.bytes}.subspan(offset, size);
    }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    test::FakeGuest guest;
    storage::RamBlock disk{1_MiB};
    Blk::Options options;
    std::optional<Blk> device;
    std::optional<test::ServedDevice> served;
    std::vector<std::byte> answer;
};

using Strings = std::vector<std::string>;

TEST_F(BlkTest, WritesAndReads) {
    serve();
    const auto data = pattern(1536);
    EXPECT_EQ(request(VIRTIO_BLK_T_OUT, 8, data), VIRTIO_BLK_S_OK);
    EXPECT_TRUE(std::ranges::equal(on_disk(4096, 1536), data));
    EXPECT_EQ(request(VIRTIO_BLK_T_IN, 8, {}, 1536), VIRTIO_BLK_S_OK);
    ASSERT_EQ(answer.size(), 1537u);
    EXPECT_TRUE(std::ranges::equal(std::span{answer}.first(1536), data));
}

TEST_F(BlkTest, DoesNotCareHowDescriptorsDivideARequest) {
    serve();
    // Header in two pieces, data in three odd ones, status with the last piece of data.
    const auto header = Header{.type = VIRTIO_BLK_T_IN, .reserved = 0, .sector = 2};
    std::ranges::copy(pattern(1024, 3), on_disk(1024, 1024).begin());
    served->driver(0)
        .chain()
        .readable(bytes_of(header).first(5))
        .readable(bytes_of(header).subspan(5))
        .writable(1)
        .writable(700)
        .writable(324)
        .offer_indirect();
    EXPECT_EQ(status(), VIRTIO_BLK_S_OK);
    EXPECT_TRUE(std::ranges::equal(std::span{answer}.first(1024), pattern(1024, 3)));
}

TEST_F(BlkTest, EveryMistakeIsAnsweredWithAStatus) {
    serve();
    const auto sectors = pattern(1024);
    EXPECT_EQ(request(VIRTIO_BLK_T_IN, 2047, {}, 1024), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(request(VIRTIO_BLK_T_OUT, 2048, sectors), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(request(VIRTIO_BLK_T_OUT, ~std::uint64_t{0}, sectors), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(request(VIRTIO_BLK_T_OUT, std::uint64_t{1} << 55, sectors), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(request(VIRTIO_BLK_T_IN, 0, {}, 100), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(request(VIRTIO_BLK_T_OUT, 0, std::span{sectors}.first(513)), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(request(99, 0, {}), VIRTIO_BLK_S_UNSUPP);
    EXPECT_EQ(request(VIRTIO_BLK_T_SCSI_CMD, 0, {}), VIRTIO_BLK_S_UNSUPP);
    served->driver(0).chain().readable(pattern(10)).writable(1).offer();
    EXPECT_EQ(status(), VIRTIO_BLK_S_IOERR) << "half a header";
    served->driver(0).chain().writable(1).offer();
    EXPECT_EQ(status(), VIRTIO_BLK_S_IOERR) << "no header";
    served->driver(0).chain().readable(Header{}).offer();
    EXPECT_EQ(status(), nothing) << "no room for a status: handed back as it is";
    EXPECT_EQ(request(VIRTIO_BLK_T_FLUSH, 0, {}), VIRTIO_BLK_S_OK) << "and the device goes on";
    EXPECT_TRUE(served->faults().empty() && served->errors().empty());
}

TEST_F(BlkTest, AFailingDiskIsAnErrorOfTheRequest) {
    serve();
    disk.failing = true;
    EXPECT_EQ(request(VIRTIO_BLK_T_IN, 0, {}, 512), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(request(VIRTIO_BLK_T_FLUSH, 0, {}), VIRTIO_BLK_S_IOERR);
    disk.failing = false;
    EXPECT_EQ(request(VIRTIO_BLK_T_IN, 0, {}, 512), VIRTIO_BLK_S_OK);
}

TEST_F(BlkTest, TellsItsSerialNumber) {
    options.serial = "disk-one";
    serve();
    EXPECT_EQ(request(VIRTIO_BLK_T_GET_ID, 0, {}, 20), VIRTIO_BLK_S_OK);
    EXPECT_EQ(as_text(std::span{answer}.first(20)),
              std::string("disk-one") + std::string(12, '\0'));
}

TEST_F(BlkTest, ALongSerialNumberIsCut) {
    options.serial = "a serial number of more than twenty bytes";
    serve();
    EXPECT_EQ(request(VIRTIO_BLK_T_GET_ID, 0, {}, 20), VIRTIO_BLK_S_OK);
    EXPECT_EQ(as_text(std::span{answer}.first(20)), "a serial number of m");
}

TEST_F(BlkTest, DiscardsAndZeroesRangeByRange) {
    serve();
    EXPECT_EQ(ranges(VIRTIO_BLK_T_DISCARD, {{8, 8, 0}, {32, 16, 0}}), VIRTIO_BLK_S_OK);
    EXPECT_EQ(ranges(VIRTIO_BLK_T_WRITE_ZEROES, {{0, 1, 0}, {8, 8, 1}}), VIRTIO_BLK_S_OK);
    EXPECT_EQ(disk.asked, (Strings{"discard 4096+4096", "discard 16384+8192", "zero 0+512",
                                   "zero+release 4096+4096"}));
}

TEST_F(BlkTest, RefusesRangesThatMakeNoSense) {
    serve();
    EXPECT_EQ(ranges(VIRTIO_BLK_T_DISCARD, {{0, 8, 1}}), VIRTIO_BLK_S_UNSUPP);
    EXPECT_EQ(ranges(VIRTIO_BLK_T_WRITE_ZEROES, {{0, 8, 2}}), VIRTIO_BLK_S_UNSUPP);
    EXPECT_EQ(ranges(VIRTIO_BLK_T_WRITE_ZEROES, {{0, 0xffffffff, 0}}), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(ranges(VIRTIO_BLK_T_DISCARD, {{~std::uint64_t{0}, 1, 0}}), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(ranges(VIRTIO_BLK_T_DISCARD, {{2048, 1, 0}}), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(request(VIRTIO_BLK_T_DISCARD, 0, {}), VIRTIO_BLK_S_IOERR) << "no range";
    EXPECT_EQ(request(VIRTIO_BLK_T_DISCARD, 0, pattern(17)), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(request(VIRTIO_BLK_T_DISCARD, 0, pattern(33 * 16)), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(disk.asked, Strings{"discard 1048576+512"});
}

TEST_F(BlkTest, WhatIsNotOfferedIsUnsupported) {
    disk.shape.discard_granularity = 0;
    serve();
    EXPECT_FALSE(device->traits().features & feature(VIRTIO_BLK_F_DISCARD));
    EXPECT_EQ(ranges(VIRTIO_BLK_T_DISCARD, {{0, 8, 0}}), VIRTIO_BLK_S_UNSUPP);
}

TEST_F(BlkTest, AReadOnlyDiskSaysSo) {
    disk.shape.read_only = true;
    serve();
    EXPECT_TRUE(device->traits().features & feature(VIRTIO_BLK_F_RO));
    EXPECT_FALSE(device->traits().features & feature(VIRTIO_BLK_F_WRITE_ZEROES));
    EXPECT_EQ(ranges(VIRTIO_BLK_T_WRITE_ZEROES, {{0, 8, 0}}), VIRTIO_BLK_S_UNSUPP);
}

TEST_F(BlkTest, WithoutACacheAWriteEndsOnTheMedium) {
    serve();
    EXPECT_EQ(config<std::uint8_t>(32), 1u);
    EXPECT_EQ(request(VIRTIO_BLK_T_OUT, 0, pattern(512)), VIRTIO_BLK_S_OK);
    EXPECT_EQ(disk.asked, Strings{"write 0+512"});
    device->write_config(32, std::array{std::byte{0}});
    EXPECT_EQ(config<std::uint8_t>(32), 0u);
    EXPECT_EQ(request(VIRTIO_BLK_T_OUT, 0, pattern(512)), VIRTIO_BLK_S_OK);
    EXPECT_EQ(disk.asked, (Strings{"write 0+512", "write 0+512", "flush 0+0"}));
}

TEST_F(BlkTest, ADriverThatNeverFlushesNeedsNotTo) {
    serve(0);
    EXPECT_EQ(request(VIRTIO_BLK_T_OUT, 0, pattern(512)), VIRTIO_BLK_S_OK);
    EXPECT_EQ(disk.asked, (Strings{"write 0+512", "flush 0+0"}));
}

TEST_F(BlkTest, DescribesTheDisk) {
    options.queue_count = 4;
    serve();
    EXPECT_EQ(device->traits().queue_sizes, std::vector<std::uint16_t>(4, 256));
    EXPECT_EQ(config<std::uint64_t>(0), 2048u);
    EXPECT_EQ(config<std::uint32_t>(12), 254u);
    EXPECT_EQ(config<std::uint32_t>(20), 512u);
    EXPECT_EQ(config<std::uint8_t>(24), 3u) << "eight logical blocks in a physical one";
    EXPECT_EQ(config<std::uint16_t>(34), 4u);
    EXPECT_EQ(config<std::uint32_t>(44), 8u) << "discards are aligned to 4 KiB";
    EXPECT_EQ(device->traits().config_size, 60u);
}

TEST_F(BlkTest, TellsTheDriverOfAnotherSize) {
    serve();
    disk.bytes.resize(2_MiB);
    disk.shape.size = 2_MiB;
    EXPECT_EQ(config<std::uint64_t>(0), 2048u);
    device->resized();
    EXPECT_EQ(config<std::uint64_t>(0), 4096u);
    EXPECT_EQ(served->config_changes(), 1u);
    EXPECT_EQ(request(VIRTIO_BLK_T_IN, 4095, {}, 512), VIRTIO_BLK_S_OK);
}

TEST_F(BlkTest, QueuesAreServedIndependently) {
    options.queue_count = 2;
    serve();
    served->driver(1).chain().readable(Header{}).writable(512).writable(1).offer();
    const auto used = served->answer(1);
    ASSERT_TRUE(used);
    EXPECT_EQ(used->written, 513u);
    EXPECT_EQ(served->interrupts(0), 0u);
}

TEST_F(BlkTest, ManyRequestsAreAnsweredEachOnce) {
    serve();
    constexpr unsigned count = 20;
    std::vector<std::uint16_t> heads;
    for (unsigned i = 0; i < count; ++i)
        heads.push_back(served->driver(0)
                            .chain()
                            .readable(Header{.type = 0, .reserved = 0, .sector = i})
                            .writable(512)
                            .writable(1)
                            .offer());
    std::vector<std::uint16_t> answered;
    while (answered.size() < count) {
        const auto used = served->answer(0);
        ASSERT_TRUE(used);
        answered.push_back(static_cast<std::uint16_t>(used->head));
    }
    std::ranges::sort(heads);
    std::ranges::sort(answered);
    EXPECT_EQ(heads, answered);
}

TEST_F(BlkTest, AResetForgetsWhatTheDriverSet) {
    serve();
    device->write_config(32, std::array{std::byte{0}});
    served->stop();
    EXPECT_EQ(config<std::uint8_t>(32), 1u);
}

}  // namespace
}  // namespace sheaf::virtio
