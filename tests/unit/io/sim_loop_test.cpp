// The simulation itself: the same seed does the same, time jumps, a stall is seen.

#include <set>

#include "base/bytes.h"
#include "io/event.h"
#include "io/task_group.h"
#include "world.h"

namespace sheaf::io {
namespace {

using namespace std::chrono_literals;

Task<void> scribble(Loop& loop, int fd, unsigned seed) {
    auto block = std::array<std::byte, 2048>{};
    for (auto round = 0u; round < 20; ++round) {
        block.fill(static_cast<std::byte>(seed + round));
        const auto at = (seed * 7 + round * 13) % 64 * 512;
        // Injected errors and short transfers are part of the run.
        const auto written = co_await loop.write(fd, block, at).result();
        const auto read = co_await loop.read(fd, block, at).result();
        if (written && read && *written % 3 == 0) co_await loop.sleep(Duration{round});
        const auto flushed = co_await loop.fdatasync(fd).result();
        if (!flushed) EXPECT_EQ(flushed.error().kind(), Kind::io);
    }
}

Task<void> chat(Loop& loop, int fd) {
    auto buffer = std::array<std::byte, 300>{};
    for (auto round = 0; round < 20; ++round) {
        const auto sent = co_await loop.send(fd, buffer, 0).result();
        const auto received = co_await loop.recv(fd, buffer, 0).result();
        if (!sent || !received) co_return;
    }
}

Task<void> everything(Loop& loop, int file, int one, int other) {
    TaskGroup group;
    for (auto seed = 0u; seed < 6; ++seed) group.start(scribble(loop, file, seed));
    group.start(chat(loop, one));
    group.start(chat(loop, other));
    co_await group.join();
}

std::uint64_t trace_of(std::uint64_t seed) {
    auto disk = SimDisk{1 << 20, seed, {.error = 0.02, .short_transfer = 0.1}};
    const auto loop = SimLoop::create(seed).value();
    const auto file = loop->open(disk).value();
    const auto [one, other] = loop->network().connection().value();
    loop->network().set_faults({.reset = 0.01, .short_transfer = 0.3});
    EXPECT_TRUE(run(*loop, everything(*loop, file.get(), one.get(), other.get())));
    return loop->trace();
}

TEST(SimLoop, TheSameSeedDoesTheSame) {
    auto traces = std::set<std::uint64_t>{};
    for (auto seed = std::uint64_t{1}; seed <= 20; ++seed) {
        const auto trace = trace_of(seed);
        // Other descriptor numbers must not matter.
        const auto shift = Fd{::dup(0)};
        EXPECT_EQ(trace_of(seed), trace) << "seed " << seed;
        traces.insert(trace);
    }
    EXPECT_EQ(traces.size(), 20u) << "different seeds do different things";
}

Task<void> sleep_a_year(Loop& loop) {
    co_await loop.sleep(24h * 365);
}

TEST(SimLoop, TimeJumps) {
    const auto loop = SimLoop::create(1).value();
    const auto before = loop->now();
    const auto real = std::chrono::steady_clock::now();
    EXPECT_TRUE(run(*loop, sleep_a_year(*loop)));
    EXPECT_EQ(loop->now() - before, 24h * 365);
    EXPECT_LT(std::chrono::steady_clock::now() - real, 1s);
}

Task<void> wait_on(Event& event) {
    co_await event.wait();
}

TEST(SimLoop, AStallEndsTheRun) {
    const auto loop = SimLoop::create(1).value();
    Event never;
    const auto outcome = run(*loop, wait_on(never));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::cancelled);
}

Task<void> receive_until_reset(Loop& loop, int fd, int& error) {
    auto buffer = std::array<std::byte, 16>{};
    const auto outcome = co_await loop.recv(fd, buffer, 0).result();
    if (!outcome) error = outcome.error().os_error();
}

Task<void> reset_both(SimLoop& loop, int one, int other, int& error) {
    TaskGroup group;
    group.start(receive_until_reset(loop, one, error));
    co_await loop.sleep(1ms);
    loop.network().reset(other);
    co_await group.join();
    const auto sent = co_await loop.send(other, as_bytes("x"), 0).result();
    EXPECT_FALSE(sent);
}

TEST(SimLoop, AResetConnectionIsSeenByBothEnds) {
    const auto loop = SimLoop::create(1).value();
    const auto [one, other] = loop->network().connection().value();
    auto error = 0;
    EXPECT_TRUE(run(*loop, reset_both(*loop, one.get(), other.get(), error)));
    EXPECT_EQ(error, ECONNRESET);
}

}  // namespace
}  // namespace sheaf::io
