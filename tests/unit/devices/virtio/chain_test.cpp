#include "devices/virtio/chain.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "queue_fixture.h"

namespace sheaf::virtio {
namespace {

// Ten bytes in pieces of 3, 1, 2 and 4.
class StreamTest : public testing::Test {
  protected:
    std::string bytes = "0123456789";
    std::array<iovec, 4> vectors = {iovec{bytes.data(), 3}, iovec{bytes.data() + 3, 1},
                                    iovec{bytes.data() + 4, 2}, iovec{bytes.data() + 6, 4}};
    Stream stream{vectors};

    static std::string take(Stream& from, std::size_t count) {
        std::string taken(count, '?');
        return from.copy_out(std::as_writable_bytes(std::span{taken})) ? taken : "error";
    }
};

TEST_F(StreamTest, CopiesAcrossPieces) {
    EXPECT_EQ(stream.size(), 10u);
    EXPECT_EQ(take(stream, 2), "01");
    EXPECT_EQ(take(stream, 5), "23456");
    EXPECT_EQ(stream.size(), 3u);
    EXPECT_EQ(stream.vectors().size(), 1u);
    EXPECT_EQ(take(stream, 3), "789");
    EXPECT_EQ(stream.size(), 0u);
    EXPECT_TRUE(stream.vectors().empty());
}

TEST_F(StreamTest, CopiesInAcrossPieces) {
    EXPECT_TRUE(stream.skip(2));
    EXPECT_TRUE(stream.copy_in(as_bytes("abcde")));
    EXPECT_EQ(bytes, "01abcde789");
    EXPECT_EQ(stream.size(), 3u);
}

TEST_F(StreamTest, TooMuchIsRefusedAndTakesNothing) {
    EXPECT_EQ(take(stream, 11), "error");
    EXPECT_FALSE(stream.copy_in(as_bytes("abcdefghijk")));
    EXPECT_FALSE(stream.skip(11));
    EXPECT_FALSE(stream.skip(~std::size_t{0}));
    std::array<iovec, 1> divided;
    EXPECT_FALSE(stream.split_last(11, divided));
    EXPECT_EQ(bytes, "0123456789");
    EXPECT_EQ(stream.size(), 10u);
    EXPECT_EQ(take(stream, 10), "0123456789");
}

TEST_F(StreamTest, NothingIsAlwaysThere) {
    EXPECT_TRUE(stream.skip(10));
    EXPECT_TRUE(stream.skip(0));
    EXPECT_EQ(take(stream, 0), "");
    EXPECT_TRUE(stream.copy_in({}));
    EXPECT_EQ(take(stream, 1), "error");
    Stream none;
    EXPECT_TRUE(none.skip(0));
    EXPECT_FALSE(none.skip(1));
}

TEST_F(StreamTest, ATrailerIsCutOffWherePiecesBeginOrWithinTheLast) {
    std::array<iovec, 1> divided = {};
    auto tail = stream.split_last(1, divided);  // within the last piece
    ASSERT_TRUE(tail);
    EXPECT_EQ(take(*tail, 1), "9");
    EXPECT_EQ(stream.size(), 9u);
    tail = stream.split_last(5, divided);  // the rest of it, and a whole one
    ASSERT_TRUE(tail);
    EXPECT_EQ(tail->vectors().size(), 2u);
    EXPECT_EQ(take(*tail, 5), "45678");
    tail = stream.split_last(0, divided);
    ASSERT_TRUE(tail);
    EXPECT_EQ(tail->size(), 0u);
    EXPECT_EQ(take(stream, 4), "0123");
    EXPECT_EQ(stream.size(), 0u);
}

TEST_F(StreamTest, ATrailerFromTheMiddleOfAnEarlierPieceIsRefusedAndTakesNothing) {
    std::array<iovec, 1> divided = {};
    const auto tail = stream.split_last(5, divided);
    ASSERT_FALSE(tail);
    EXPECT_EQ(tail.error().kind(), Kind::unsupported);
    EXPECT_EQ(take(stream, 10), "0123456789");
}

TEST(Chain, IsHandedBackOnceByWhoeverHasItLast) {
    QueueFixture f;
    const auto head = f.driver.chain().writable(8).offer();
    auto first = f.queue->try_next();
    ASSERT_TRUE(first);
    first->set_written(5);
    {
        auto second = std::optional<Chain>{*std::move(first)};
        first.reset();
        test::turn(*f.loop);
        EXPECT_EQ(f.driver.used_index(), 0) << "the one moved from has nothing to hand back";
    }
    test::turn(*f.loop);
    EXPECT_EQ(f.driver.take_used(), (test::DriverQueue::Used{head, 5}));
    EXPECT_FALSE(f.driver.take_used());
}

TEST(Chain, AssigningHandsTheFormerOneBack) {
    QueueFixture f;
    const auto one = f.driver.chain().writable(1).offer();
    const auto two = f.driver.chain().writable(2).offer();
    auto chain = f.queue->try_next();
    auto next = f.queue->try_next();
    ASSERT_TRUE(chain && next);
    next->set_written(2);
    *chain = *std::move(next);
    test::turn(*f.loop);
    EXPECT_EQ(f.driver.take_used(), (test::DriverQueue::Used{one, 0}));
    EXPECT_FALSE(f.driver.take_used());
    EXPECT_EQ(chain->writable().size(), 2u);
    chain.reset();
    next.reset();
    test::turn(*f.loop);
    EXPECT_EQ(f.driver.take_used(), (test::DriverQueue::Used{two, 2}));
    EXPECT_FALSE(f.driver.take_used());
}

TEST(Chain, ValuesAreTakenAndPutAcrossDescriptors) {
    QueueFixture f;
    const auto apart = [&](std::uint32_t length, std::uint16_t flags, auto& builder) {
        f.guest.allocate(8);
        builder.piece(f.guest.allocate(length), length, flags);
    };
    auto builder = f.driver.chain();
    const std::uint64_t value = 0x1122334455667788;
    builder.readable(bytes_of(value).first(3));
    f.guest.allocate(8);
    builder.readable(bytes_of(value).subspan(3));
    for (int i = 0; i < 4; ++i) apart(1, test::descriptor_flag::write, builder);
    builder.offer();
    std::optional<test::DriverQueue::Used> used;
    {
        auto chain = f.queue->try_next();
        ASSERT_TRUE(chain) << f.owner.fault;
        EXPECT_EQ(chain->readable().take<std::uint64_t>().value(), value);
        EXPECT_FALSE(chain->readable().take<std::uint8_t>());
        EXPECT_TRUE(chain->writable().put(std::uint32_t{0xaabbccdd}));
        EXPECT_FALSE(chain->writable().put(std::uint8_t{0}));
        chain->set_written(4);
    }
    test::turn(*f.loop);
    used = f.driver.take_used();
    ASSERT_TRUE(used);
    EXPECT_EQ(load<std::uint32_t>(f.driver.written(*used)), 0xaabbccddu);
}

}  // namespace
}  // namespace sheaf::virtio
