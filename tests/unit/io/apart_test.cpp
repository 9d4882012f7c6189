#include "io/apart.h"

#include <atomic>

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "io/time_limit.h"

namespace sheaf::io {
namespace {

using namespace std::chrono_literals;

class ApartTest : public testing::Test {
  protected:
    template <class T>
    using Work = std::move_only_function<Task<T>(Loop&)>;

    std::unique_ptr<Loop> loop_ = make_loop().value();
};

Task<std::thread::id> tell_thread(Loop& loop) {
    co_await loop.sleep(1ms);
    co_return std::this_thread::get_id();
}

TEST_F(ApartTest, RunsInAnotherThreadAndGivesWhatItGives) {
    Work<std::thread::id> work = tell_thread;
    const auto there = run(*loop_, run_apart(*loop_, std::move(work)));
    ASSERT_TRUE(there) << there.error().text();
    EXPECT_NE(*there, std::this_thread::get_id());
}

Task<void> fail_at(Loop& loop, Duration time) {
    co_await loop.sleep(time);
    co_await fail(Kind::exhausted, "no room");
}

TEST_F(ApartTest, FailsAsItFails) {
    for (const auto time : {0ms, 5ms}) {
        Work<void> work = [time](Loop& own) { return fail_at(own, time); };
        const auto failed = run(*loop_, run_apart(*loop_, std::move(work)));
        ASSERT_FALSE(failed);
        EXPECT_EQ(failed.error().kind(), Kind::exhausted);
    }
}

// Puts away what it has in hand, however it ends.
Task<void> work_long(Loop& loop, std::atomic<bool>& put_away) {
    const auto outcome = co_await loop.sleep(1h).result();
    put_away = true;
    co_await outcome;
}

TEST_F(ApartTest, CancelledItEndsThereBeforeItEndsHere) {
    std::atomic<bool> put_away = false;
    Work<void> work = [&put_away](Loop& own) { return work_long(own, put_away); };
    const auto ended = run(*loop_, within(*loop_, 20ms, run_apart(*loop_, std::move(work))));
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind(), Kind::timed_out);
    EXPECT_TRUE(put_away);
}

Task<void> count(Loop& loop, std::atomic<int>& counted) {
    co_await loop.sleep(1ms);
    ++counted;
}

Task<void> count_apart(Loop& loop, std::atomic<int>& counted) {
    std::move_only_function<Task<void>(Loop&)> work = [&counted](Loop& own) {
        return count(own, counted);
    };
    co_await run_apart(loop, std::move(work));
}

Task<void> count_often(Loop& loop, std::atomic<int>& counted) {
    TaskGroup group;
    for (int one = 0; one < 32; ++one) group.start(count_apart(loop, counted));
    co_await group.join();
}

TEST_F(ApartTest, AnyNumberRunAtOnce) {
    std::atomic<int> counted = 0;
    EXPECT_TRUE(run(*loop_, count_often(*loop_, counted)));
    EXPECT_EQ(counted, 32);
}

Task<void> count_cancelled(Loop& loop, std::atomic<int>& counted) {
    TaskGroup group;
    group.cancel();
    group.start(count_apart(loop, counted));
    co_await group.join();
}

TEST_F(ApartTest, InACancelledScopeNothingBegins) {
    std::atomic<int> counted = 0;
    EXPECT_TRUE(run(*loop_, count_cancelled(*loop_, counted)));
    EXPECT_EQ(counted, 0);
}

// A cancellation meets the beginning, the middle and the end of the work.
TEST_F(ApartTest, ACancellationAtAnyTimeIsSafe) {
    for (int turn = 0; turn < 200; ++turn) {
        std::atomic<int> counted = 0;
        const auto limit = std::chrono::microseconds{turn * 10};
        const auto ended = run(*loop_, within(*loop_, limit, count_apart(*loop_, counted)));
        EXPECT_EQ(ended.has_value(), counted == 1) << turn;
    }
}

}  // namespace
}  // namespace sheaf::io
