#include "devices/virtio/descriptor_walk.h"

#include <string>

#include <gtest/gtest.h>

#include "support/driver_queue.h"

namespace sheaf::virtio {
namespace {

namespace flag = test::descriptor_flag;

class WalkTest : public testing::Test {
  protected:
    // What is wrong with the chain from `head`; empty where nothing is.
    std::string walk(std::uint16_t head = 0) {
        const auto outcome =
            DescriptorWalk::run(ring, setup(), guest.memory(), head, pieces, readable);
        return outcome ? "" : outcome.error().text();
    }
    bool refused(std::uint16_t head = 0) { return !walk(head).empty(); }
    void set(std::uint16_t index, std::uint64_t address, std::uint32_t length, unsigned flags = 0,
             std::uint16_t next = 0) {
        driver.set_descriptor(index, {.address = address,
                                      .length = length,
                                      .flags = static_cast<std::uint16_t>(flags),
                                      .next = next});
    }
    void set_table(std::uint16_t index, std::span<const Descriptor> table, unsigned flags = 0) {
        const auto at = guest.place(std::as_bytes(table));
        set(index, at.value(), static_cast<std::uint32_t>(table.size_bytes()),
            flag::indirect | flags);
    }
    const QueueSetup& setup() const { return driver.setup(); }
    std::size_t bytes() const {
        std::size_t all = 0;
        for (const auto& piece : pieces) all += piece.iov_len;
        return all;
    }

    static constexpr std::uint64_t data = 0x10'0000;
    test::FakeGuest guest;
    test::DriverQueue driver{guest, {.size = 8}};
    Ring ring = test::must(Ring::create(driver.setup(), guest.memory()));
    std::vector<iovec> pieces;
    std::size_t readable = 0;
};

TEST_F(WalkTest, FollowsTheChainAndDividesItIntoReadableAndWritable) {
    set(5, data, 16, flag::next, 2);
    set(2, data + 0x1000, 32, flag::next, 7);
    set(7, data + 0x1020, 64, flag::write);
    ASSERT_EQ(walk(5), "");
    ASSERT_EQ(pieces.size(), 3u) << "readable and writable neighbours are not joined";
    EXPECT_EQ(readable, 2u);
    EXPECT_EQ(pieces[0].iov_base, guest.view(Gpa{data}, 1).data());
    EXPECT_EQ(pieces[0].iov_len, 16u);
    EXPECT_EQ(pieces[2].iov_base, guest.view(Gpa{data + 0x1020}, 1).data());
    EXPECT_EQ(pieces[2].iov_len, 64u);
    set(0, data, 4);
    ASSERT_EQ(walk(), "");
    EXPECT_EQ(pieces.size(), 1u) << "what the walk before found is gone";
}

TEST_F(WalkTest, AHeadOrALinkBeyondTheTableIsRefused) {
    EXPECT_TRUE(refused(8));
    EXPECT_TRUE(refused(65535));
    for (const auto next : std::initializer_list<std::uint16_t>{8, 255, 65535}) {
        set(0, data, 1, flag::next, next);
        EXPECT_TRUE(refused()) << next;
    }
}

TEST_F(WalkTest, LoopsEnd) {
    set(0, data, 1, flag::next, 0);
    EXPECT_TRUE(refused()) << "onto itself";
    set(0, data, 1, flag::next, 1);
    set(1, data, 1, flag::next, 0);
    EXPECT_TRUE(refused()) << "of two";
    for (std::uint16_t i = 0; i < 8; ++i)
        set(i, data, 1, flag::next, static_cast<std::uint16_t>((i + 1) % 8));
    EXPECT_TRUE(refused()) << "of all";
    set(7, data, 1);
    EXPECT_EQ(walk(), "") << "as long as the queue";
}

TEST_F(WalkTest, AnIndirectTableIsFollowedFromItsFirstEntry) {
    const std::array table = {
        Descriptor{.address = data, .length = 8, .flags = flag::next, .next = 2},
        Descriptor{.address = ~0ull, .length = ~0u, .flags = 0xffff, .next = 0xffff},
        Descriptor{.address = data + 0x100, .length = 24, .flags = flag::write}};
    set_table(0, table);
    ASSERT_EQ(walk(), "");
    EXPECT_EQ(bytes(), 32u);
    EXPECT_EQ(readable, 1u);
    set_table(0, table, flag::write);
    EXPECT_EQ(walk(), "") << "WRITE says nothing of a table (virtio 1.2, 2.7.5.3.2)";
}

TEST_F(WalkTest, MisplacedIndirectTablesAreRefused) {
    const std::array good = {Descriptor{.address = data, .length = 8}};
    set_table(0, good, flag::next);
    EXPECT_TRUE(refused()) << "followed by another descriptor";
    const auto at = guest.place(std::as_bytes(std::span{good}));
    const std::array nested = {
        Descriptor{.address = at.value(), .length = 16, .flags = flag::indirect}};
    set_table(0, nested);
    EXPECT_TRUE(refused()) << "within another";
    for (const auto length : {0u, 1u, 15u, 17u, 0xffffffffu}) {
        set(0, at.value(), length, flag::indirect);
        EXPECT_TRUE(refused()) << length;
    }
    for (const std::uint64_t address :
         {guest.end().value(), guest.end().value() - 8, ~std::uint64_t{15}}) {
        set(0, address, 16, flag::indirect);
        EXPECT_TRUE(refused()) << address;
    }
    const std::array beyond = {
        Descriptor{.address = data, .length = 8, .flags = flag::next, .next = 2},
        Descriptor{.address = data, .length = 8}};
    set_table(0, beyond);
    EXPECT_TRUE(refused()) << "a link beyond the table, within the ring's";
}

TEST_F(WalkTest, AnIndirectTableMustHaveBeenNegotiated) {
    test::DriverQueue plain{guest, {.size = 8, .indirect = false}};
    const std::array table = {Descriptor{.address = data, .length = 8}};
    const auto at = guest.place(std::as_bytes(std::span{table}));
    plain.set_descriptor(0, {.address = at.value(), .length = 16, .flags = flag::indirect});
    const auto other = test::must(Ring::create(plain.setup(), guest.memory()));
    EXPECT_FALSE(DescriptorWalk::run(other, plain.setup(), guest.memory(), 0, pieces, readable));
}

TEST_F(WalkTest, AChainInATableIsNoLongerThanTheQueue) {
    std::vector<Descriptor> table;
    for (std::uint16_t i = 0; i < 9; ++i)
        table.push_back({.address = data + 16ull * i,
                         .length = 8,
                         .flags = flag::next,
                         .next = static_cast<std::uint16_t>(i + 1)});
    table[7].flags = 0;
    set_table(0, table);
    EXPECT_EQ(walk(), "");
    EXPECT_EQ(pieces.size(), 8u);
    table[7].flags = flag::next;
    table[8].flags = 0;
    set_table(0, table);
    EXPECT_TRUE(refused());
    set_table(1, std::span{table}.first(1));
    table[0].next = 0;
    set_table(1, std::span{table}.first(1));
    EXPECT_TRUE(refused(1)) << "a loop within it";
}

TEST_F(WalkTest, ReadableAfterWritableIsRefused) {
    set(0, data, 8, flag::write | flag::next, 1);
    set(1, data, 8);
    EXPECT_TRUE(refused());
    const std::array table = {Descriptor{.address = data, .length = 8}};
    set_table(1, table);
    EXPECT_TRUE(refused()) << "also across the border of a table";
}

TEST_F(WalkTest, ADescriptorOfNoBytesIsRefused) {
    set(0, data, 0);
    EXPECT_TRUE(refused());
    set(0, data, 8, flag::next, 1);
    set(1, data, 0, flag::write);
    EXPECT_TRUE(refused());
}

TEST_F(WalkTest, PiecesLieInMemoryToTheLastByte) {
    const auto end = guest.end().value();
    set(0, end - 8, 8);
    EXPECT_EQ(walk(), "");
    set(0, 0, static_cast<std::uint32_t>(end));
    EXPECT_EQ(walk(), "");
    set(0, end - 8, 9);
    EXPECT_TRUE(refused());
    set(0, end, 1);
    EXPECT_TRUE(refused());
    set(0, ~0ull, 1);
    EXPECT_TRUE(refused());
    set(0, ~0ull - 3, 8);
    EXPECT_TRUE(refused()) << "a range around the end of all addresses";
    set(0, 0, 0xffffffff);
    EXPECT_TRUE(refused());
}

TEST_F(WalkTest, AChainIsNoLongerThanFourGibibytes) {
    test::FakeGuest large{1_GiB};
    const test::DriverQueue::Options options{.size = 8};
    test::DriverQueue queue{large, options};
    const auto table = test::must(Ring::create(queue.setup(), large.memory()));
    const auto run = [&] {
        return DescriptorWalk::run(table, queue.setup(), large.memory(), 0, pieces, readable)
            .has_value();
    };
    for (std::uint16_t i = 0; i < 5; ++i)
        queue.set_descriptor(i, {.address = 0,
                                 .length = static_cast<std::uint32_t>(1_GiB),
                                 .flags = static_cast<std::uint16_t>(i < 3 ? flag::next : 0),
                                 .next = static_cast<std::uint16_t>(i + 1)});
    EXPECT_TRUE(run()) << "four are";
    queue.set_descriptor(3, {.address = 0,
                             .length = static_cast<std::uint32_t>(1_GiB),
                             .flags = flag::next,
                             .next = 4});
    queue.set_descriptor(4, {.address = 0, .length = 1});
    EXPECT_FALSE(run());
}

}  // namespace
}  // namespace sheaf::virtio
