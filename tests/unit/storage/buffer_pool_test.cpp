#include "storage/buffer_pool.h"

#include <bit>
#include <list>
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "base/units.h"
#include "io/sim_loop.h"

namespace sheaf::storage {
namespace {

class BufferPools : public testing::Test {
  protected:
    std::unique_ptr<io::SimLoop> loop = io::SimLoop::create(1).value();
};

TEST_F(BufferPools, LendAgainWhatCameBack) {
    BufferPool pool{*loop, 4_MiB};
    const std::byte* first = nullptr;
    {
        const auto loan = pool.take(3 * 4_KiB);
        ASSERT_EQ(loan.bytes().size(), 3 * 4_KiB);
        first = loan.bytes().data();
        EXPECT_NE(pool.take(4 * 4_KiB).bytes().data(), first);
    }
    EXPECT_EQ(pool.take(4 * 4_KiB).bytes().data(), first);
    EXPECT_EQ(pool.take(5 * 4_KiB).bytes().size(), 5 * 4_KiB);  // of another size
    EXPECT_EQ(pool.take(1).bytes().size(), 1u);
}

// Each piece is lent to one at a time, and they lie apart.
TEST_F(BufferPools, LendEveryPieceOnce) {
    BufferPool pool{*loop, 4_MiB};
    struct Held {
        Held(BufferPool& pool, std::size_t size) : loan(pool.take(size)) {}
        BufferPool::Loan loan;
    };
    std::list<Held> loans;
    for (int i = 0; i < 100; ++i) loans.emplace_back(pool, i % 2 == 0 ? 4_KiB : 128_KiB);
    std::map<const std::byte*, const std::byte*> places;
    for (const auto& held : loans) {
        const auto bytes = held.loan.bytes();
        places.emplace(bytes.data(), bytes.data() + bytes.size());
    }
    ASSERT_EQ(places.size(), loans.size());
    for (auto place = places.begin(); std::next(place) != places.end(); ++place)
        EXPECT_LE(place->second, std::next(place)->first);
}

TEST_F(BufferPools, KeepNoMoreThanTheyMay) {
    BufferPool pool{*loop, 2_MiB};
    {
        const auto one = pool.take(128_KiB);
        EXPECT_EQ(pool.idle(), 2_MiB - 128_KiB);
    }
    EXPECT_EQ(pool.idle(), 2_MiB);
    {
        const auto small = pool.take(4_KiB);
        const auto huge = pool.take(4_MiB);
    }
    EXPECT_EQ(pool.idle(), 2_MiB);  // that of the first
    pool.drop_idle();
    EXPECT_EQ(pool.idle(), 0u);
}

// A disk is told of few pieces then.
TEST_F(BufferPools, LendLargePiecesOfHugePages) {
    BufferPool pool{*loop, 4_MiB};
    const auto first = pool.take(128_KiB);
    EXPECT_EQ(std::bit_cast<std::uintptr_t>(first.bytes().data()) % AlignedBuffer::huge_page, 0u);
    const auto second = pool.take(128_KiB);
    EXPECT_EQ(second.bytes().data(), first.bytes().data() + 128_KiB);
}

TEST_F(BufferPools, DropNothingThatIsLent) {
    BufferPool pool{*loop, 4_MiB};
    {
        const auto lent = pool.take(4_KiB);
        const auto other = pool.take(128_KiB);
        pool.drop_idle();
        EXPECT_EQ(pool.idle(), 64_KiB - 4_KiB + 2_MiB - 128_KiB);
        lent.bytes().front() = std::byte{1};
    }
    pool.drop_idle();
    EXPECT_EQ(pool.idle(), 0u);
}

#if __has_feature(address_sanitizer)
TEST_F(BufferPools, AreLeftAloneAfterwards) {
    BufferPool pool{*loop, 4_MiB};
    auto* const bytes = pool.take(4_KiB).bytes().data();
    EXPECT_DEATH(*bytes = std::byte{1}, "use-after-poison");
}
#else
TEST_F(BufferPools, AreEmptyWhereMemoryIsShort) {
    BufferPool pool{*loop, 4_MiB};
    EXPECT_TRUE(pool.take(std::size_t{1} << 60).bytes().empty());
}
#endif

}  // namespace
}  // namespace sheaf::storage
