// Groups: joining, the first error, cancelling in every state, and who may destroy what when.

#include "io/task_group.h"

#include <memory>
#include <optional>
#include <vector>

#include "io/event.h"
#include "world.h"

namespace sheaf::io {
namespace {

using namespace std::chrono_literals;

class Groups : public OverLoops {};
INSTANTIATE_TEST_SUITE_P(Io, Groups, every_loop(), loop_name);

Task<void> sleep_for(Loop& loop, Duration duration, int& ended) {
    co_await loop.sleep(duration);
    ++ended;
}

Task<void> fail_after(Loop& loop, Duration duration, const char* text) {
    co_await loop.sleep(duration);
    co_await fail(Kind::corrupt, "{}", text);
}

Task<void> wait_on(Event& event) {
    co_await event.wait();
}

Task<void> join_empty() {
    TaskGroup group;
    co_await group.join();
    const auto outcome = co_await group.join().result();
    EXPECT_TRUE(outcome);
}

TEST_P(Groups, JoiningNothingReturnsAtOnce) {
    EXPECT_TRUE(run(loop_, join_empty()));
}

Task<void> several(Loop& loop, int& ended, bool& went_on) {
    TaskGroup group;
    group.start(fail_after(loop, 60ms, "second"));
    group.start(fail_after(loop, 1ms, "first"));
    group.start(sleep_for(loop, 70ms, ended));
    co_await group.join();
    went_on = true;
}

TEST_P(Groups, TheFirstErrorWinsAndTheOthersGoOn) {
    auto ended = 0;
    auto went_on = false;
    const auto outcome = run(loop_, several(loop_, ended, went_on));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().text(), "first");
    EXPECT_EQ(ended, 1);
    EXPECT_FALSE(went_on);
}

Task<void> join_twice(Loop& loop, int& ended) {
    TaskGroup group;
    group.start(fail_after(loop, 1ms, "once"));
    const auto first = co_await group.join().result();
    EXPECT_FALSE(first);
    group.start(sleep_for(loop, 1ms, ended));
    const auto second = co_await group.join().result();
    EXPECT_TRUE(second) << "an error is told once";
}

TEST_P(Groups, AGroupCanBeUsedAgainAfterItsJoin) {
    auto ended = 0;
    EXPECT_TRUE(run(loop_, join_twice(loop_, ended)));
    EXPECT_EQ(ended, 1);
}

Task<void> cancel_mixed(Loop& loop, Event& event, int& ended) {
    TaskGroup group;
    group.start(sleep_for(loop, 1h, ended));
    group.start(wait_on(event));
    group.start(fail_after(loop, 1h, "never"));
    co_await loop.sleep(1ms);
    group.cancel();
    EXPECT_EQ(group.size(), 2u) << "what waits for the loop ends in a later turn";
    group.start(sleep_for(loop, 1h, ended));
    EXPECT_EQ(group.size(), 2u) << "a wait begun in a cancelled group ends at once";
    co_await group.join();
}

TEST_P(Groups, CancellationIsNotAnError) {
    Event event;
    auto ended = 0;
    EXPECT_TRUE(run(loop_, cancel_mixed(loop_, event, ended)));
    EXPECT_EQ(ended, 0);
}

Task<void> inner(Loop& loop, int& ended, bool& joined) {
    TaskGroup group;
    group.start(sleep_for(loop, 1h, ended));
    group.start(sleep_for(loop, 2h, ended));
    const auto outcome = co_await group.join().result();
    // What the tasks were to do was not done.
    EXPECT_EQ(outcome.error().kind(), Kind::cancelled);
    EXPECT_TRUE(group.empty());
    EXPECT_TRUE(group.cancelled());
    joined = true;
    co_await loop.sleep(1h);  // the scope is cancelled: this ends at once
    ++ended;
}

Task<void> cancel_a_joiner(Loop& loop, int& ended, bool& joined) {
    TaskGroup group;
    group.start(inner(loop, ended, joined));
    co_await loop.sleep(1ms);
    group.cancel();
    co_await group.join();
    EXPECT_TRUE(joined);
}

TEST_P(Groups, CancellingAJoinerCancelsItsGroupAndWaitsForIt) {
    auto ended = 0;
    auto joined = false;
    EXPECT_TRUE(run(loop_, cancel_a_joiner(loop_, ended, joined)));
    EXPECT_EQ(ended, 0);
}

Task<void> join_in_cancelled_scope(Loop& loop, Event& start, int& ended, bool& joined) {
    TaskGroup group;
    group.start(sleep_for(loop, 1h, ended));
    const auto woken = co_await start.wait().result();
    EXPECT_FALSE(woken);
    const auto outcome = co_await group.join().result();
    EXPECT_EQ(outcome.error().kind(), Kind::cancelled);
    joined = true;
}

Task<void> cancel_before_join(Loop& loop, Event& start, int& ended, bool& joined) {
    TaskGroup group;
    group.start(join_in_cancelled_scope(loop, start, ended, joined));
    group.cancel();
    EXPECT_EQ(group.size(), 1u);
    co_await group.join();
}

TEST_P(Groups, AJoinBegunInACancelledScopeStillWaits) {
    Event start;
    auto ended = 0;
    auto joined = false;
    EXPECT_TRUE(run(loop_, cancel_before_join(loop_, start, ended, joined)));
    EXPECT_TRUE(joined);
    EXPECT_EQ(ended, 0);
}

// The joiner owns the group, and the last task's end resumes the joiner, which destroys the group
// while the end is still being told.
Task<void> own_group(Event& event) {
    auto group = std::make_unique<TaskGroup>();
    group->start(wait_on(event));
    co_await group->join();
}

Task<void> cancel_owner(Event& event, bool by_cancel) {
    TaskGroup group;
    group.start(own_group(event));
    if (by_cancel) {
        group.cancel();
    } else {
        event.set();
    }
    EXPECT_TRUE(group.empty());
    co_await group.join();
}

TEST_P(Groups, TheLastTaskMayDestroyItsGroup) {
    for (const auto by_cancel : {false, true}) {
        Event event;
        EXPECT_TRUE(run(loop_, cancel_owner(event, by_cancel)));
    }
}

// cancel() of a group that somebody joins ends every task, so it resumes the joiner, which destroys
// the group that cancel() was called on.
Task<void> join_and_destroy(std::optional<TaskGroup>& group, bool& destroyed) {
    co_await group->join();
    group.reset();
    destroyed = true;
}

Task<void> cancel_until_destroyed(Event& one, Event& other, bool& destroyed) {
    std::optional<TaskGroup> group;
    group.emplace();
    TaskGroup joiners;
    group->start(wait_on(one));
    group->start(wait_on(other));
    joiners.start(join_and_destroy(group, destroyed));
    EXPECT_FALSE(destroyed);
    group->cancel();
    EXPECT_TRUE(destroyed);
    co_await joiners.join();
}

TEST_P(Groups, CancelMayDestroyTheGroup) {
    Event one;
    Event other;
    auto destroyed = false;
    EXPECT_TRUE(run(loop_, cancel_until_destroyed(one, other, destroyed)));
}

// Ends, and cancels its own group while it does.
struct CancelsGroup {
    TaskGroup& group;
    ~CancelsGroup() { group.cancel(); }
};

Task<void> cancel_siblings(Loop& loop, TaskGroup& group, Duration after) {
    const CancelsGroup canceller{group};
    co_await loop.sleep(after);
}

Task<void> cancel_from_within(Loop& loop, Event& event, int& ended) {
    TaskGroup group;
    group.start(wait_on(event));
    group.start(sleep_for(loop, 1h, ended));
    group.start(cancel_siblings(loop, group, 1ms));
    co_await group.join();
    EXPECT_TRUE(group.cancelled());
}

TEST_P(Groups, ATaskMayCancelItsOwnGroupAsItEnds) {
    Event event;
    auto ended = 0;
    EXPECT_TRUE(run(loop_, cancel_from_within(loop_, event, ended)));
    EXPECT_EQ(ended, 0);
}

// Starts another task from the destructor of a frame: the group was empty for a moment, and the
// joiner must not have noticed.
struct StartsAnother {
    TaskGroup& group;
    Loop& loop;
    int& ended;
    ~StartsAnother() { group.start(sleep_for(loop, 1ms, ended)); }
};

Task<void> hand_over(Loop& loop, TaskGroup& group, int& ended) {
    const StartsAnother next{group, loop, ended};
    co_await loop.sleep(1ms);
}

Task<void> chain(Loop& loop, int& ended) {
    TaskGroup group;
    group.start(hand_over(loop, group, ended));
    co_await group.join();
    EXPECT_EQ(ended, 1);
}

TEST_P(Groups, AFrameMayStartAnotherTaskAsItIsDestroyed) {
    auto ended = 0;
    EXPECT_TRUE(run(loop_, chain(loop_, ended)));
    EXPECT_EQ(ended, 1);
}

// Cancels in the same turn in which the operation has completed already.
Task<void> cancel_when_due(Loop& loop, TaskGroup& group, TimePoint when) {
    co_await loop.sleep_until(when);
    group.cancel();
}

Task<void> sleep_until(Loop& loop, TimePoint when, int& ended) {
    co_await loop.sleep_until(when);
    ++ended;
}

Task<void> cancel_while_completing(Loop& loop, int& ended) {
    for (auto round = 0; round < 50; ++round) {
        TaskGroup group;
        const auto when = loop.now() + 1ms;
        for (auto count = 0; count < 8; ++count) group.start(sleep_until(loop, when, ended));
        group.start(cancel_when_due(loop, group, when));
        for (auto count = 0; count < 8; ++count) group.start(sleep_until(loop, when, ended));
        co_await group.join();
    }
}

TEST_P(Groups, WhatIsOverMayBeCancelled) {
    auto ended = 0;
    EXPECT_TRUE(run(loop_, cancel_while_completing(loop_, ended)));
    EXPECT_LE(ended, 50 * 16);
    EXPECT_GE(ended, 1);
}

// Many addresses are used again at once: a late cancellation must not meet a new operation.
Task<void> start_and_cancel(Loop& loop, int& ended) {
    for (auto round = 0; round < 2000; ++round) {
        TaskGroup group;
        group.start(sleep_for(loop, 1h, ended));
        group.cancel();
        co_await group.join();
        co_await loop.sleep(Duration{1});
    }
}

TEST_P(Groups, ACancellationDoesNotMeetALaterOperation) {
    auto ended = 0;
    EXPECT_TRUE(run(loop_, start_and_cancel(loop_, ended)));
    EXPECT_EQ(ended, 0);
}

Task<void> sleep_in_parallel(Loop& loop, int count, int& ended) {
    TaskGroup group;
    for (auto index = 0; index < count; ++index) group.start(sleep_for(loop, 1ms, ended));
    co_await group.join();
}

TEST_P(Groups, ThousandsInOneGroup) {
    auto ended = 0;
    EXPECT_TRUE(run(loop_, sleep_in_parallel(loop_, 5000, ended)));
    EXPECT_EQ(ended, 5000);
}

Task<void> leave_running(Loop& loop, int& ended) {
    TaskGroup group;
    group.start(sleep_for(loop, 1h, ended));
    co_await loop.sleep(1ms);
}

TEST_P(Groups, DestroyingARunningGroupAborts) {
    auto ended = 0;
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_DEATH(static_cast<void>(run(loop_, leave_running(loop_, ended))),
                 "destroyed while it runs");
}

}  // namespace
}  // namespace sheaf::io
