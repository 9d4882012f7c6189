// What is looked at instead of waited for, over every loop.

#include "io/poll_source.h"

#include <functional>
#include <optional>
#include <vector>

#include "io/task_group.h"
#include "world.h"

namespace sheaf::io {
namespace {

using namespace std::chrono_literals;

struct Source final : PollSource {
    bool look() override { return on_look ? on_look() : false; }
    bool arm() override {
        ++armed;
        return on_arm ? on_arm() : false;
    }
    std::function<bool()> on_look;
    std::function<bool()> on_arm;
    unsigned armed = 0;
};

class Watching : public OverLoops {};
INSTANTIATE_TEST_SUITE_P(Io, Watching, every_loop(), loop_name);

Task<void> sleep_short(Loop& loop) {
    co_await loop.sleep(1ms);
}

TEST_P(Watching, ASourceIsArmedBeforeTheLoopSleepsAndNotWhileItIsBusy) {
    Source source;
    loop_.watch(source);
    loop_.watch(source);  // once is enough
    loop_.stop();
    loop_.run();
    EXPECT_EQ(source.armed, 0U);
    ASSERT_TRUE(run(loop_, sleep_short(loop_)));
    EXPECT_EQ(source.armed, 1U);
}

TEST_P(Watching, ALoopDoesNotSleepOnWhatArmingFinds) {
    Source source;
    source.on_arm = [&] {
        loop_.stop();
        return true;
    };
    loop_.watch(source);
    loop_.run();  // nothing else would ever end it
    EXPECT_EQ(source.armed, 1U);
}

TEST_P(Watching, ASourceLeavesTheLoopWhenItIsDestroyed) {
    Source stays;
    std::optional<Source> goes{std::in_place};
    loop_.watch(*goes);
    loop_.watch(stays);
    goes.reset();
    ASSERT_TRUE(run(loop_, sleep_short(loop_)));
    EXPECT_EQ(stays.armed, 1U);
}

TEST(PollSources, EverySourceIsAskedThoughOneHadSomething) {
    PollSources sources;
    Source first;
    Source second;
    first.on_arm = second.on_arm = [] { return true; };
    EXPECT_FALSE(sources.arm());
    sources.add(first);
    sources.add(second);
    EXPECT_TRUE(sources.arm());
    EXPECT_EQ(first.armed + second.armed, 2U);
    EXPECT_FALSE(sources.look());
}

// Serving one request may end the device that another source belongs to.
TEST(PollSources, SourcesMayBeDestroyedAndAddedWhileOthersAreAsked) {
    PollSources sources;
    Source added;
    std::optional<Source> before{std::in_place};
    std::optional<Source> asked{std::in_place};
    std::optional<Source> after{std::in_place};
    for (auto* source : {&*after, &*asked, &*before}) sources.add(*source);
    asked->on_look = [&] {
        before.reset();
        after.reset();
        sources.add(added);
        const auto last = std::move(asked->on_look);  // outlives its source
        asked.reset();
        return true;
    };
    EXPECT_TRUE(sources.look());
    added.on_look = [] { return true; };
    EXPECT_TRUE(sources.look());
}

TEST(PollWindow, OpensForShortWaitsAndClosesAfterALongOne) {
    PollWindow window;
    const auto now = TimePoint{} + 1h;
    EXPECT_EQ(window.length(now), 0us);
    window.waited(5us);
    EXPECT_EQ(window.length(now), PollWindow::first);
    window.waited(5us);  // long enough as it is
    EXPECT_EQ(window.length(now), PollWindow::first);
    for (auto wait = 0; wait < 10; ++wait) window.waited(PollWindow::worthwhile);
    EXPECT_EQ(window.length(now), PollWindow::worthwhile);
    window.waited(PollWindow::longest + 1us);
    EXPECT_EQ(window.length(now), 0us);
}

TEST(PollWindow, SpansALongWaitWhereMostAreShort) {
    PollWindow window;
    const auto now = TimePoint{} + 1h;
    for (auto round = 0; round < 200; ++round) window.waited(round % 16 == 0 ? 900us : 5us);
    EXPECT_EQ(window.length(now), PollWindow::longest);
    for (auto wait = 0; wait < 10; ++wait) window.waited(900us);
    EXPECT_EQ(window.length(now), 0us);
}

TEST(PollWindow, StaysClosedForAWhileAfterAnotherThreadNeededTheProcessor) {
    PollWindow window;
    const auto now = TimePoint{} + 1h;
    window.waited(5us);
    window.lost_processor(now);
    EXPECT_EQ(window.length(now), 0us);
    EXPECT_EQ(window.length(now + PollWindow::abstinence - 1us), 0us);
    EXPECT_EQ(window.length(now + PollWindow::abstinence), PollWindow::first);
}

}  // namespace
}  // namespace sheaf::io
