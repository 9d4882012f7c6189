#include "storage/buffer_pool.h"

#include <gtest/gtest.h>

namespace sheaf::storage {
namespace {

constexpr std::size_t unit = AlignedBuffer::alignment;

TEST(BufferPools, LendAgainWhatCameBack) {
    BufferPool pool{8 * unit};
    const std::byte* first = nullptr;
    {
        const auto loan = pool.take(3 * unit);
        ASSERT_EQ(loan.bytes().size(), 3 * unit);
        first = loan.bytes().data();
        EXPECT_NE(pool.take(4 * unit).bytes().data(), first);
        EXPECT_EQ(pool.idle(), 4 * unit);
    }
    EXPECT_EQ(pool.idle(), 8 * unit);
    EXPECT_EQ(pool.take(4 * unit).bytes().data(), first);
    EXPECT_EQ(pool.take(5 * unit).bytes().size(), 5 * unit);  // of another class
}

TEST(BufferPools, KeepNoMoreThanTheyMay) {
    BufferPool pool{3 * unit};
    {
        const auto small = pool.take(unit);  // comes back last, when there is no room
        const auto large = pool.take(2 * unit);
        const auto second = pool.take(unit);
    }
    EXPECT_EQ(pool.idle(), 3 * unit);
    pool.drop_idle();
    EXPECT_EQ(pool.idle(), 0u);
    {
        const auto huge = pool.take(std::size_t{2} << 20);
    }
    EXPECT_EQ(pool.idle(), 0u);
    {
        const auto one = pool.take(1);
    }
    EXPECT_EQ(pool.idle(), unit);
}

}  // namespace
}  // namespace sheaf::storage
