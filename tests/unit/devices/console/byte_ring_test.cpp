#include "devices/console/byte_ring.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::console {
namespace {

std::string take(ByteRing& ring, std::size_t count) {
    std::string taken(count, '?');
    taken.resize(ring.take(std::as_writable_bytes(std::span{taken})));
    return taken;
}

TEST(ByteRing, IsFirstInFirstOutAroundItsEnd) {
    ByteRing ring{5};
    for (int round = 0; round < 20; ++round) {
        EXPECT_EQ(ring.put(as_bytes("abc")), 3u);
        EXPECT_EQ(ring.put(as_bytes("def")), 2u);
        EXPECT_EQ(ring.room(), 0u);
        EXPECT_EQ(take(ring, 3), "abc");
        ring.drop(1);
        EXPECT_EQ(take(ring, 9), "e");
    }
}

TEST(ByteRing, TakesNoMoreThanFitsAndGivesNoMoreThanThereIs) {
    ByteRing ring{4};
    EXPECT_EQ(take(ring, 4), "");
    EXPECT_EQ(ring.put({}), 0u);
    EXPECT_EQ(ring.put(as_bytes("0123456789")), 4u);
    EXPECT_EQ(ring.put(as_bytes("x")), 0u);
    EXPECT_EQ(ring.size(), 4u);
    EXPECT_EQ(take(ring, 0), "");
    EXPECT_EQ(take(ring, 100), "0123");
}

TEST(ByteRing, DropsAtMostAllThereIs) {
    ByteRing ring{4};
    ring.put(as_bytes("ab"));
    ring.drop(100);
    EXPECT_EQ(ring.size(), 0u);
    EXPECT_EQ(ring.room(), 4u);
    EXPECT_EQ(ring.put(as_bytes("cdef")), 4u);
    EXPECT_EQ(take(ring, 4), "cdef");
}

// The same deeds on a ring and on a queue without an end.
TEST(ByteRing, DoesAsAQueueDoes) {
    std::minstd_rand random{1};
    ByteRing ring{13};
    std::string model;
    for (int step = 0; step < 20'000; ++step) {
        const auto count = random() % 17;
        if (random() % 2 == 0) {
            std::string text;
            for (std::size_t i = 0; i < count; ++i) text += static_cast<char>('a' + random() % 26);
            const auto put = ring.put(as_bytes(text));
            ASSERT_EQ(put, std::min(text.size(), 13 - model.size()));
            model += text.substr(0, put);
        } else {
            ASSERT_EQ(take(ring, count), model.substr(0, count));
            model.erase(0, count);
        }
        ASSERT_EQ(ring.size(), model.size());
        ASSERT_EQ(ring.room(), 13 - model.size());
    }
}

}  // namespace
}  // namespace sheaf::console
