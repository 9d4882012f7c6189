// Streams, sockets, poll and timers, over every loop.

#include <poll.h>
#include <stdlib.h>

#include <vector>

#include "base/bytes.h"
#include "io/task_group.h"
#include "world.h"

namespace sheaf::io {
namespace {

using namespace std::chrono_literals;

class StreamVerbs : public OverLoops {};
INSTANTIATE_TEST_SUITE_P(Io, StreamVerbs, every_loop(), loop_name);

Task<void> read_text(Loop& loop, int fd, std::string& text) {
    auto buffer = std::array<std::byte, 64>{};
    const auto count = co_await loop.read_stream(fd, buffer);
    text = as_text(std::span{buffer}.first(count));
}

Task<void> write_text(Loop& loop, int fd, std::string_view text) {
    const auto count = co_await loop.write_stream(fd, as_bytes(text));
    EXPECT_EQ(count, text.size());
}

Task<void> read_then_write(Loop& loop, int reader, int writer, std::string& text,
                           std::string_view said = "hello") {
    TaskGroup group;
    group.start(read_text(loop, reader, text));
    co_await loop.sleep(5ms);
    EXPECT_EQ(group.size(), 1u);
    group.start(write_text(loop, writer, said));
    co_await group.join();
}

TEST_P(StreamVerbs, AReadWaitsForData) {
    auto [one, other] = world_->stream();
    auto text = std::string{};
    EXPECT_TRUE(run(loop_, read_then_write(loop_, one.get(), other.get(), text)));
    EXPECT_EQ(text, "hello");
}

TEST_P(StreamVerbs, ANonBlockingDescriptorIsWaitedForAllTheSame) {
    auto [one, other] = world_->stream();
    if (!simulated()) ASSERT_EQ(::fcntl(one.get(), F_SETFL, O_NONBLOCK), 0);
    auto text = std::string{};
    EXPECT_TRUE(run(loop_, read_then_write(loop_, one.get(), other.get(), text)));
    EXPECT_EQ(text, "hello");
}

enum class By { write, send };

Task<void> fill(Loop& loop, int fd, std::size_t total, By by) {
    const auto chunk = std::vector<std::byte>(1'000'000, std::byte{0x5a});
    while (total > 0) {
        const auto piece = std::span{chunk}.first(std::min(total, chunk.size()));
        if (by == By::write) {
            total -= co_await loop.write_stream(fd, piece);
        } else {
            total -= co_await loop.send(fd, piece, 0);
        }
    }
}

Task<void> drain(Loop& loop, int fd, std::size_t& total) {
    auto buffer = std::vector<std::byte>(30000);
    while (const auto count = co_await loop.read_stream(fd, buffer)) {
        EXPECT_EQ(buffer.front(), std::byte{0x5a});
        EXPECT_EQ(buffer[count - 1], std::byte{0x5a});
        total += count;
    }
}

Task<void> fill_and_close(Loop& loop, Fd writer, std::size_t total, By by) {
    co_await fill(loop, writer.get(), total, by);
}

Task<void> pump(Loop& loop, int reader, Fd writer, std::size_t& total, By by) {
    TaskGroup group;
    group.start(fill_and_close(loop, std::move(writer), 3'000'000, by));
    group.start(drain(loop, reader, total));
    co_await group.join();
}

TEST_P(StreamVerbs, AFullStreamIsWaitedForAndItsEndIsSeen) {
    for (const auto by : {By::write, By::send}) {
        auto [one, other] = world_->stream();
        auto total = std::size_t{0};
        EXPECT_TRUE(run(loop_, pump(loop_, one.get(), std::move(other), total, by)));
        EXPECT_EQ(total, 3'000'000u);
    }
}

Task<void> wait_readable(Loop& loop, int fd, unsigned& events) {
    events = co_await loop.poll(fd, POLLIN);
}

Task<void> poll_both_ways(Loop& loop, int one, int other, unsigned& events) {
    EXPECT_EQ(co_await loop.poll(one, POLLOUT), unsigned{POLLOUT});
    TaskGroup group;
    group.start(wait_readable(loop, one, events));
    co_await loop.sleep(2ms);
    EXPECT_EQ(group.size(), 1u);
    co_await loop.write_stream(other, as_bytes("x"));
    co_await group.join();
}

TEST_P(StreamVerbs, PollSaysWhatIsReady) {
    auto [one, other] = world_->stream();
    auto events = 0u;
    EXPECT_TRUE(run(loop_, poll_both_ways(loop_, one.get(), other.get(), events)));
    EXPECT_EQ(events, unsigned{POLLIN});
}

Task<void> answer(Loop& loop, int listener) {
    const auto connection = co_await loop.accept(listener);
    auto buffer = std::array<std::byte, 64>{};
    const auto count = co_await loop.recv(connection.get(), buffer, 0);
    co_await loop.send(connection.get(), std::span{buffer}.first(count), 0);
}

Task<void> ask(Loop& loop, int fd, const sockaddr_un& address, std::string& reply) {
    co_await loop.connect(fd, World::generic(address), sizeof(address));
    co_await loop.send(fd, as_bytes("ping"), 0);
    auto buffer = std::array<std::byte, 64>{};
    auto count = co_await loop.recv(fd, buffer, 0);
    reply = as_text(std::span{buffer}.first(count));
    count = co_await loop.recv(fd, buffer, 0);
    EXPECT_EQ(count, 0u);
    const auto broken = co_await loop.send(fd, as_bytes("late"), 0).result();
    EXPECT_FALSE(broken);
    if (!broken) EXPECT_EQ(broken.error().os_error(), EPIPE);
}

Task<void> converse(Loop& loop, World& world, std::string& reply) {
    const auto address = World::address(to_string(loop.kind()));
    const auto listener = world.listen(address);
    const auto client = world.socket();
    TaskGroup group;
    group.start(answer(loop, listener.get()));
    group.start(ask(loop, client.get(), address, reply));
    const auto outcome = co_await group.join().result();
    EXPECT_TRUE(outcome) << outcome.error().text();
}

TEST_P(StreamVerbs, AConnectionCarriesBothWays) {
    auto reply = std::string{};
    EXPECT_TRUE(run(loop_, converse(loop_, *world_, reply)));
    EXPECT_EQ(reply, "ping");
}

Task<void> connect_to_nobody(Loop& loop, int fd) {
    const auto address = World::address("nobody");
    co_await loop.connect(fd, World::generic(address), sizeof(address));
}

TEST_P(StreamVerbs, ConnectingToNobodyIsRefused) {
    const auto client = world_->socket();
    const auto outcome = run(loop_, connect_to_nobody(loop_, client.get()));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().os_error(), ECONNREFUSED);
    EXPECT_EQ(outcome.error().kind(), Kind::unavailable);
}

Task<void> receive_without_waiting(Loop& loop, int fd) {
    auto buffer = std::array<std::byte, 16>{};
    co_await loop.recv(fd, buffer, MSG_DONTWAIT);
}

TEST_P(StreamVerbs, ToldNotToWaitItDoesNot) {
    auto [one, other] = world_->stream();
    const auto outcome = run(loop_, receive_without_waiting(loop_, one.get()));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().os_error(), EAGAIN);
}

Task<void> note_at(Loop& loop, TimePoint start, Duration delay, std::vector<Duration>& order) {
    co_await loop.sleep_until(start + delay);
    EXPECT_GE(loop.now() - start, delay);
    order.push_back(delay);
}

Task<void> sleep_in_parallel(Loop& loop, std::vector<Duration>& order) {
    const auto start = loop.now();
    TaskGroup group;
    for (const auto delay : {82ms, 80ms, 40ms, 0ms, -5ms})
        group.start(note_at(loop, start, delay, order));
    co_await group.join();
}

TEST_P(StreamVerbs, SleepersWakeWhenTheirTimeHasCome) {
    auto order = std::vector<Duration>{};
    EXPECT_TRUE(run(loop_, sleep_in_parallel(loop_, order)));
    ASSERT_EQ(order.size(), 5u);
    EXPECT_EQ(order[2], 40ms);
}

Task<void> accept_one(Loop& loop, int fd) {
    co_await loop.accept(fd);
}
Task<void> receive_one(Loop& loop, int fd) {
    auto buffer = std::array<std::byte, 16>{};
    co_await loop.recv(fd, buffer, 0);
}
Task<void> read_one(Loop& loop, int fd, std::string& text) {
    co_await read_text(loop, fd, text);
}
Task<void> sleep_long(Loop& loop) {
    co_await loop.sleep(1h);
}

Task<void> cancel_everything(Loop& loop, World& world, bool let_it_begin) {
    const auto listener = world.listen(World::address("idle"));
    auto [one, other] = world.stream();
    auto text = std::string{};
    auto events = 0u;
    TaskGroup group;
    group.start(accept_one(loop, listener.get()));
    group.start(receive_one(loop, one.get()));
    group.start(read_one(loop, one.get(), text));
    group.start(wait_readable(loop, one.get(), events));
    group.start(sleep_long(loop));
    if (let_it_begin) co_await loop.sleep(3ms);
    EXPECT_EQ(group.size(), 5u);
    group.cancel();
    group.cancel();
    co_await group.join();
    EXPECT_TRUE(text.empty());
    EXPECT_EQ(events, 0u);
}

TEST_P(StreamVerbs, EveryWaitCanBeCancelled) {
    EXPECT_TRUE(run(loop_, cancel_everything(loop_, *world_, true)));
}

TEST_P(StreamVerbs, AWaitThatHasNotBegunCanBeCancelled) {
    EXPECT_TRUE(run(loop_, cancel_everything(loop_, *world_, false)));
}

Task<void> cancel_polling(Loop& loop, int fd) {
    auto text = std::string{};
    TaskGroup group;
    group.start(read_one(loop, fd, text));
    co_await loop.sleep(3ms);  // by now the kernel has said EAGAIN and the loop polls
    group.cancel();
    co_await group.join();
    EXPECT_TRUE(text.empty());
}

// A terminal, for io_uring a file that it does not wait for where it was opened with O_NONBLOCK.
struct Terminal {
    Fd master{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)};
    Fd slave;
    Terminal() {
        EXPECT_EQ(::grantpt(master.get()), 0);
        EXPECT_EQ(::unlockpt(master.get()), 0);
        auto name = std::array<char, 64>{};
        EXPECT_EQ(::ptsname_r(master.get(), name.data(), name.size()), 0);
        slave = Fd{::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)};
        EXPECT_TRUE(slave);
    }
};

class Terminals : public OverLoops {};
INSTANTIATE_TEST_SUITE_P(Io, Terminals, testing::Values(LoopKind::io_uring, LoopKind::thread_pool),
                         loop_name);

TEST_P(Terminals, AReadWaitsForALine) {
    const Terminal terminal;
    auto text = std::string{};
    EXPECT_TRUE(run(loop_, read_then_write(loop_, terminal.slave.get(), terminal.master.get(), text,
                                           "hello\n")));
    EXPECT_EQ(text, "hello\n");
}

TEST_P(Terminals, AWaitForReadinessCanBeCancelled) {
    const Terminal terminal;
    EXPECT_TRUE(run(loop_, cancel_polling(loop_, terminal.slave.get())));
}

TEST_P(StreamVerbs, AWaitForReadinessCanBeCancelled) {
    auto [one, other] = world_->stream();
    if (!simulated()) ASSERT_EQ(::fcntl(one.get(), F_SETFL, O_NONBLOCK), 0);
    EXPECT_TRUE(run(loop_, cancel_polling(loop_, one.get())));
}

}  // namespace
}  // namespace sheaf::io
