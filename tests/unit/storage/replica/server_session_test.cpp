// One copy, its server and what is said to it: by engines, by others, and by who says anything.

#include "storage/replica/server_session.h"

#include "replica_world.h"

namespace sheaf::replica {
namespace {

using namespace std::chrono_literals;
using ServerSessions = ReplicaWorld;
using Way = std::unique_ptr<RemoteReplica>;

std::vector<std::byte> filled(std::size_t length, unsigned value) {
    return std::vector<std::byte>(length, static_cast<std::byte>(value));
}

io::Task<void> use(Way way) {
    co_await way->seal(1, 1);
    const Stamp stamp{1, 1};
    auto content = filled(8192, 7);
    co_await way->write(stamp, 4096, content);
    co_await way->flush(stamp);
    std::vector<std::byte> found(8192);
    co_await way->read(stamp, 4096, found);
    EXPECT_EQ(found, content);
    const Range first{4096, 4096};
    co_await way->discard(stamp, first);
    const Range second{8192, 4096};
    co_await way->zero(stamp, second, storage::Space::release);
    co_await way->read(stamp, 4096, found);
    EXPECT_EQ(found, filled(8192, 0));
    co_await way->set_generation({1, 9});
    auto name = std::string{"monday"};
    co_await way->snapshot({1, 9}, name);
    co_await way->resize({1, 9}, 4_MiB);
    const auto status = co_await way->status();
    EXPECT_EQ(status.stamp, (Stamp{1, 9}));
    EXPECT_EQ(status.size, 4_MiB);
    const auto again = co_await way->seal(1, 2);
    EXPECT_EQ(again.snapshots, std::vector<std::string>{"monday"});
    EXPECT_FALSE(again.marked.empty());
    co_await way->delete_snapshot({1, 9}, name);
    const auto moment = co_await way->moment({1, 9});
    co_await way->settled({1, 9}, moment);
    co_await way->shut_down();
}

TEST_F(ServerSessions, CarryOutEveryKindOfRequest) {
    record(1, "node-a");
    loop().network().set_faults({.short_transfer = 0.5});
    auto way = run(RemoteReplica::open(loop(), dial(), hello()));
    ASSERT_TRUE(way) << way.error().text();
    EXPECT_TRUE(run(use(*std::move(way))));
    EXPECT_EQ(log(), "");
}

io::Task<void> write_one(RemoteReplica& way, std::uint64_t block, unsigned value) {
    auto content = filled(4096, value);
    co_await way.write({1, 1}, block * 4096, content);
}

io::Task<void> write_many(Way way) {
    co_await way->seal(1, 1);
    io::TaskGroup group;
    for (unsigned number = 0; number < 400; ++number)
        group.start(write_one(*way, number % 50, number));
    co_await group.join();
    std::vector<std::byte> found(50 * 4096);
    co_await way->read({1, 1}, 0, found);
    for (unsigned block = 0; block < 50; ++block)
        EXPECT_EQ(found[block * 4096], static_cast<std::byte>(350 + block));
    co_await way->shut_down();
}

TEST_F(ServerSessions, TakeRequestsAsFastAsTheyComeAndInTheirOrder) {
    record(1, "node-a");
    auto way = run(RemoteReplica::open(loop(), dial(), hello())).value();
    EXPECT_TRUE(run(write_many(std::move(way))));
}

io::Task<Result<Sealed>> seal_as(io::Loop& loop, std::unique_ptr<io::ByteStream> stream,
                                 Hello hello, std::uint64_t epoch) {
    auto way = co_await RemoteReplica::open(loop, std::move(stream), std::move(hello));
    auto sealed = co_await way->seal(epoch, 1).result();
    co_await way->shut_down();
    co_return sealed;
}

TEST_F(ServerSessions, ASealIsOfTheEngineThatTheRecordNames) {
    record(3, "node-a");
    const auto kind = [this](const char* node, std::uint64_t epoch) {
        const auto sealed = run(seal_as(loop(), dial(), hello(node), epoch)).value();
        return sealed ? std::optional<Kind>{} : sealed.error().kind();
    };
    EXPECT_EQ(kind("node-b", 3), Kind::denied);
    EXPECT_EQ(kind("node-a", 4), Kind::denied);
    EXPECT_EQ(kind("node-a", 2), Kind::conflict);
    EXPECT_EQ(kind("node-a", 3), std::nullopt);
    host().kv().set_reachable(false);
    EXPECT_EQ(kind("node-a", 3), Kind::unavailable);
    host().kv().set_reachable(true);
}

TEST_F(ServerSessions, RefuseWhoIsNotWhatItSays) {
    const auto kind = [this](Hello words, Caller caller = {}) {
        const auto way =
            run(RemoteReplica::open(loop(), dial(std::move(caller)), std::move(words)));
        EXPECT_FALSE(way);
        return way ? Kind::io : way.error().kind();
    };
    auto other = hello();
    other.volume = {9};
    EXPECT_EQ(kind(other), Kind::not_found);
    auto newer = hello();
    newer.oldest_version = newer.newest_version = 2;
    EXPECT_EQ(kind(newer), Kind::unsupported);
    Caller certified;
    certified.is = [](std::string_view node) { return node == "node-b"; };
    EXPECT_EQ(kind(hello(), certified), Kind::denied);
}

io::Task<std::size_t> say(io::Loop& loop, std::unique_ptr<io::ByteStream> stream, Bytes words) {
    co_await stream->send(words);
    std::vector<std::byte> answer(65536);
    std::size_t heard = 0;
    while (true) {
        const auto count = co_await stream->receive(answer).result();
        if (!count || *count == 0) break;
        heard += *count;
    }
    co_await loop.sleep(1ms);
    co_return heard;
}

Bytes message(Header header, std::span<const std::byte> payload) {
    const auto whole = sealed(header, payload);
    const auto first = bytes_of(whole);
    Bytes bytes(first.begin(), first.end());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
}

Bytes greeting(const Hello& hello) {
    Header header;
    header.type = Type::hello;
    header.sequence = 1;
    return message(header, encode(hello));
}

Bytes joined(Bytes first, const Bytes& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

TEST_F(ServerSessions, GarbageCostsOneConnection) {
    record(1, "node-a");
    auto good = run(RemoteReplica::open(loop(), dial(), hello())).value();
    ASSERT_TRUE(run(good->seal(1, 1)));
    Header flush;
    flush.type = Type::flush;
    flush.volume = 1;
    std::vector<Bytes> lines;
    lines.push_back(filled(4096, 0xff));
    lines.push_back(message(flush, {}));  // before hello
    lines.push_back(greeting(hello()));
    lines.back() = joined(std::move(lines.back()), greeting(hello()));
    lines.push_back(greeting(hello()));
    auto damaged = message(flush, {});
    damaged[40] ^= std::byte{1};
    lines.back() = joined(std::move(lines.back()), damaged);
    lines.push_back(greeting(hello()));
    flush.volume = 2;
    lines.back() = joined(std::move(lines.back()), message(flush, {}));
    for (auto& line : lines) {
        EXPECT_TRUE(run(say(loop(), dial(), line)));
        EXPECT_TRUE(run(write_one(*good, 1, 1)));
    }
    EXPECT_EQ(std::ranges::count(log(), '\n'), static_cast<long>(lines.size())) << log();
    EXPECT_TRUE(run(good->shut_down()));
}

TEST_F(ServerSessions, WhoSaysNothingIsNotWaitedForLong) {
    EXPECT_EQ(run(say(loop(), dial(), {})).value(), 0u);
    EXPECT_TRUE(log().contains("in time")) << log();
    EXPECT_GT(run(say(loop(), dial(), greeting(hello()))).value(), 0u);
}

io::Task<void> lose_connection(io::SimLoop& loop, Way way) {
    co_await way->seal(1, 1);
    io::TaskGroup group;
    for (unsigned number = 0; number < 20; ++number) group.start(write_one(*way, number, number));
    loop.network().set_faults({.reset = 1});
    const auto outcome = co_await group.join().result();
    EXPECT_FALSE(outcome);
    if (!outcome) EXPECT_EQ(outcome.error().kind(), Kind::unavailable);
    const auto later = co_await way->flush({1, 1}).result();
    EXPECT_FALSE(later);
    co_await way->shut_down();
}

TEST_F(ServerSessions, WhatWaitsFailsWithItsConnection) {
    record(1, "node-a");
    auto way = run(RemoteReplica::open(loop(), dial(), hello())).value();
    EXPECT_TRUE(run(lose_connection(loop(), std::move(way))));
}

}  // namespace
}  // namespace sheaf::replica
