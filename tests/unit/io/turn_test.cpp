// Turns: posted work, stopping and hooks, over every loop.

#include <thread>
#include <vector>

#include "io/make_loop.h"
#include "io/task_group.h"
#include "world.h"

namespace sheaf::io {
namespace {

using namespace std::chrono_literals;

class Turns : public OverLoops {};
INSTANTIATE_TEST_SUITE_P(Io, Turns, every_loop(), loop_name);

// A simulation has one thread.
class ManyThreads : public OverLoops {};
INSTANTIATE_TEST_SUITE_P(Io, ManyThreads,
                         testing::Values(LoopKind::io_uring, LoopKind::thread_pool), loop_name);

Task<void> sleep_long(Loop& loop) {
    co_await loop.sleep(1h);
}

Task<void> sleep_short(Loop& loop) {
    co_await loop.sleep(1ms);
}

TEST_P(Turns, PostedWorkRunsInOrderOnTheLoopsThread) {
    auto order = std::vector<int>{};
    const auto thread = std::this_thread::get_id();
    for (auto index = 0; index < 5; ++index)
        loop_.post([&order, index, thread] {
            EXPECT_EQ(std::this_thread::get_id(), thread);
            order.push_back(index);
        });
    EXPECT_TRUE(order.empty());
    loop_.post([this] { loop_.stop(); });
    loop_.run();
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
}

TEST_P(Turns, WorkPostedByWorkComesInALaterTurn) {
    auto count = 0;
    std::move_only_function<void()> again;
    again = [&] {
        if (++count == 100) return loop_.stop();
        loop_.post([&] { again(); });
    };
    loop_.post([&] { again(); });
    loop_.run();
    EXPECT_EQ(count, 100);
}

TEST_P(ManyThreads, Post) {
    constexpr auto thread_count = 4;
    constexpr auto per_thread = 5000;
    auto total = 0;  // only the loop's thread touches it
    auto threads = std::vector<std::jthread>{};
    for (auto index = 0; index < thread_count; ++index)
        threads.emplace_back([&] {
            for (auto count = 0; count < per_thread; ++count)
                loop_.post([&] {
                    if (++total == thread_count * per_thread) loop_.stop();
                });
        });
    loop_.run();
    EXPECT_EQ(total, thread_count * per_thread);
}

TEST_P(ManyThreads, StopEndsARunThatWaits) {
    const auto stopper = std::jthread{[&] {
        std::this_thread::sleep_for(5ms);
        loop_.stop();
    }};
    const auto outcome = run(loop_, sleep_long(loop_));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::cancelled);
}

TEST_P(Turns, StopBeforeRunIsNotLost) {
    loop_.stop();
    loop_.run();
    SUCCEED();
}

TEST_P(Turns, ALoopRunsInAnotherThreadThanItWasMadeIn) {
    auto outcome = Result<void>{fail(Kind::io, "did not run")};
    std::jthread{[&] { outcome = run(loop_, sleep_short(loop_)); }}.join();
    EXPECT_TRUE(outcome);
}

class CountingHook final : public TurnHook {
  public:
    void turn_ended() override {
        ++calls;
        if (chained) loop->at_turn_end(*std::exchange(chained, nullptr));
    }
    int calls = 0;
    Loop* loop = nullptr;
    TurnHook* chained = nullptr;
};

TEST_P(Turns, AHookRunsOnceAtTheEndOfItsTurn) {
    CountingHook hook;
    CountingHook later;
    hook.loop = &loop_;
    hook.chained = &later;
    loop_.post([&] {
        loop_.at_turn_end(hook);
        loop_.at_turn_end(hook);
        EXPECT_EQ(hook.calls, 0);
    });
    loop_.post([&] {
        EXPECT_EQ(hook.calls, 0) << "posted in the same turn";
        loop_.stop();
    });
    loop_.run();
    EXPECT_EQ(hook.calls, 1);
    EXPECT_EQ(later.calls, 1);
}

TEST_P(Turns, ADestroyedHookIsNotCalled) {
    CountingHook before;
    CountingHook after;
    loop_.post([&] {
        loop_.at_turn_end(before);
        CountingHook gone;
        loop_.at_turn_end(gone);
        CountingHook last;
        loop_.at_turn_end(after);
        loop_.at_turn_end(last);
    });
    loop_.post([&] { loop_.stop(); });
    loop_.run();
    EXPECT_EQ(before.calls, 1);
    EXPECT_EQ(after.calls, 1);
}

class Probe final : public Operation {
  public:
    using Operation::Operation;
    void complete(int) override {
        EXPECT_FALSE(inside_start);
        ++completions;
        if (completions == expected) loop_.stop();
    }
    void begin() {
        inside_start = true;
        loop_.start(*this);
        loop_.cancel(*this);
        inside_start = false;
    }
    bool inside_start = false;
    int completions = 0;
    int expected = 1;
};

TEST_P(Turns, NothingCompletesInsideStartOrCancel) {
    auto bad = Probe{loop_, Request{.code = Request::Code::read, .fd = -1}};
    bad.begin();
    loop_.run();
    EXPECT_EQ(bad.completions, 1);
    auto due = Probe{loop_, Request{.code = Request::Code::sleep, .deadline = loop_.now()}};
    due.begin();
    loop_.run();
    EXPECT_EQ(due.completions, 1);
}

TEST(MakeLoop, PrefersIoUring) {
    const auto loop = make_loop();
    ASSERT_TRUE(loop);
    const auto expected = UringLoop::create() ? LoopKind::io_uring : LoopKind::thread_pool;
    EXPECT_EQ((*loop)->kind(), expected);
}

}  // namespace
}  // namespace sheaf::io
