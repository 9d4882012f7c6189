// How tasks start, end, fail and are destroyed.

#include "io/task.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "io/event.h"
#include "io/task_group.h"
#include "world.h"

namespace sheaf::io {
namespace {

class Tasks : public testing::Test {
  protected:
    std::unique_ptr<SimLoop> loop_ = SimLoop::create(1).value();
};

// Notes its own destruction.
struct Mark {
    std::vector<std::string>& marks;
    std::string name;
    ~Mark() { marks.push_back(name); }
};

Task<int> one() {
    co_return 1;
}

Task<void> count_to(int limit, int& total) {
    for (auto i = 0; i < limit; ++i) total += co_await one();
}

TEST_F(Tasks, AwaitsThatNeverWaitCostNoStack) {
    auto total = 0;
    ASSERT_TRUE(run(*loop_, count_to(1'000'000, total)));
    EXPECT_EQ(total, 1'000'000);
}

Task<int> one_later(Loop& loop) {
    co_await loop.sleep(Duration{1});
    co_return 1;
}

// Where the stack of the thread is now; a coroutine's own locals are not on it.
[[gnu::noinline]] std::uintptr_t stack_position() {
    return std::bit_cast<std::uintptr_t>(__builtin_frame_address(0));
}

Task<void> count_later(Loop& loop, int limit, int& total, std::uintptr_t& growth) {
    auto lowest = std::uintptr_t{0};
    for (auto i = 0; i < limit; ++i) {
        total += co_await one_later(loop);
        if (i == 0) lowest = stack_position();
        growth = std::max(growth, lowest - std::min(lowest, stack_position()));
    }
}

TEST_F(Tasks, AwaitsThatWaitCostNoStackEither) {
    auto total = 0;
    auto growth = std::uintptr_t{0};
    ASSERT_TRUE(run(*loop_, count_later(*loop_, 100'000, total, growth)));
    EXPECT_EQ(total, 100'000);
    EXPECT_EQ(growth, 0u);
}

Task<int> descend(int depth) {
    if (depth == 0) co_return 0;
    const auto below = co_await descend(depth - 1);
    co_return below + 1;
}

Task<void> descend_far(int& depth) {
    depth = co_await descend(1000);
}

TEST_F(Tasks, ValuesComeBackThroughMany) {
    auto depth = 0;
    ASSERT_TRUE(run(*loop_, descend_far(depth)));
    EXPECT_EQ(depth, 1000);
}

TEST_F(Tasks, ATaskDoesNothingUntilItIsAwaited) {
    auto total = 0;
    {
        auto never = count_to(3, total);
    }
    EXPECT_EQ(total, 0);
}

enum class When { at_once, later };

Task<int> fails(Loop& loop, When when, std::vector<std::string>& marks) {
    const auto mark = Mark{marks, "innermost"};
    if (when == When::later) co_await loop.sleep(Duration{1});
    co_await fail(Kind::corrupt, "block 7");
    marks.push_back("went on");
    co_return 1;
}

Task<int> middle(Loop& loop, When when, std::vector<std::string>& marks) {
    const auto outer = Mark{marks, "middle, first"};
    const auto inner = Mark{marks, "middle, second"};
    const auto value = co_await fails(loop, when, marks);
    marks.push_back("went on");
    co_return value;
}

Task<void> outermost(Loop& loop, When when, std::vector<std::string>& marks) {
    const auto mark = Mark{marks, "outermost"};
    co_await middle(loop, when, marks);
    marks.push_back("went on");
}

TEST_F(Tasks, AnErrorEndsEveryCallerAndDestroysInnermostFirst) {
    for (const auto when : {When::at_once, When::later}) {
        auto marks = std::vector<std::string>{};
        const auto outcome = run(*loop_, outermost(*loop_, when, marks));
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().kind(), Kind::corrupt);
        EXPECT_EQ(outcome.error().text(), "block 7");
        EXPECT_EQ(marks, (std::vector<std::string>{"innermost", "middle, second", "middle, first",
                                                   "outermost"}));
    }
}

Task<void> looks(Loop& loop, When when, std::vector<std::string>& marks, Kind& kind) {
    const auto outcome = co_await middle(loop, when, marks).result();
    if (!outcome) kind = outcome.error().kind();
    marks.push_back("looked");
}

TEST_F(Tasks, ALookStopsTheError) {
    for (const auto when : {When::at_once, When::later}) {
        auto marks = std::vector<std::string>{};
        auto kind = Kind::io;
        EXPECT_TRUE(run(*loop_, looks(*loop_, when, marks, kind)));
        EXPECT_EQ(kind, Kind::corrupt);
        EXPECT_EQ(marks, (std::vector<std::string>{"innermost", "middle, second", "middle, first",
                                                   "looked"}));
    }
}

Result<int> half_of(int number) {
    if (number % 2) return fail(Kind::invalid, "{} is odd", number);
    return number / 2;
}

Task<int> quarter_of(int number) {
    const auto half = co_await half_of(number);
    co_return co_await half_of(half);
}

Task<void> quarter(int number, int& result) {
    result = co_await quarter_of(number);
}

TEST_F(Tasks, AResultIsAwaitedLikeATask) {
    auto result = 0;
    EXPECT_TRUE(run(*loop_, quarter(12, result)));
    EXPECT_EQ(result, 3);
    const auto outcome = run(*loop_, quarter(6, result));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().text(), "3 is odd");
}

Task<std::unique_ptr<int>> movable(Loop& loop) {
    co_await loop.sleep(Duration{1});
    co_return std::make_unique<int>(5);
}

Task<void> take_movable(Loop& loop, int& value) {
    const auto owned = co_await movable(loop);
    value = *owned;
}

TEST_F(Tasks, ValuesAreMoved) {
    auto value = 0;
    EXPECT_TRUE(run(*loop_, take_movable(*loop_, value)));
    EXPECT_EQ(value, 5);
}

Task<void> wait_for(Event& event, int& count) {
    while (true) {
        co_await event.wait();
        event.clear();
        ++count;
    }
}

Task<void> set_three_times(Loop& loop, Event& event, int& count) {
    TaskGroup group;
    group.start(wait_for(event, count));
    EXPECT_EQ(count, 0);
    for (auto expected = 1; expected <= 3; ++expected) {
        event.set();
        EXPECT_EQ(count, expected) << "the waiter runs before set() returns";
        EXPECT_FALSE(event.is_set());
        co_await loop.sleep(Duration{1});
    }
    group.cancel();
    EXPECT_TRUE(group.empty());
    co_await group.join();
}

TEST_F(Tasks, AnEventWakesItsWaiter) {
    Event event;
    auto count = 0;
    EXPECT_TRUE(run(*loop_, set_three_times(*loop_, event, count)));
    EXPECT_EQ(count, 3);
}

Task<void> look_at_event(Event& event, bool& cancelled) {
    const auto outcome = co_await event.wait().result();
    cancelled = !outcome;
}

Task<void> cancel_a_look(Event& event, bool& waiting, bool& later) {
    TaskGroup group;
    group.start(look_at_event(event, waiting));
    group.cancel();
    EXPECT_TRUE(group.empty());
    event.set();
    group.start(look_at_event(event, later));  // set, but the group is cancelled
    EXPECT_TRUE(group.empty());
    co_await group.join();
}

TEST_F(Tasks, ACancelledScopeEndsEvenTheWaitForASetEvent) {
    Event event;
    auto waiting = false;
    auto later = false;
    EXPECT_TRUE(run(*loop_, cancel_a_look(event, waiting, later)));
    EXPECT_TRUE(waiting);
    EXPECT_TRUE(later);
}

Task<void> wait_twice(Event& event, int& count) {
    TaskGroup group;
    group.start(wait_for(event, count));
    group.start(wait_for(event, count));
    co_await group.join();
}

TEST_F(Tasks, AnEventHasOneWaiter) {
    Event event;
    auto count = 0;
    EXPECT_DEATH(static_cast<void>(run(*loop_, wait_twice(event, count))),
                 "two tasks wait for one event");
}

Task<void> lose_the_event(int& count) {
    TaskGroup group;
    {
        Event event;
        group.start(wait_for(event, count));
    }
    co_await group.join();
}

TEST_F(Tasks, AnEventOutlivesItsWaiter) {
    auto count = 0;
    EXPECT_DEATH(static_cast<void>(run(*loop_, lose_the_event(count))),
                 "destroyed while a task waits");
}

}  // namespace
}  // namespace sheaf::io
