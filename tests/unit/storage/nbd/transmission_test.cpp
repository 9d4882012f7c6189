// Requests and their replies, on a disk that is slow, fails, or is full of holes.

#include "storage/nbd/transmission.h"

#include <gtest/gtest.h>

#include "support/nbd_world.h"

namespace sheaf::nbd {
namespace {

using test::asking;
using test::MemoryDisk;
using test::NbdClient;
using test::NbdWorld;
using Ask = NbdClient::Ask;

std::vector<std::byte> filled(std::size_t length, unsigned value) {
    return std::vector<std::byte>(length, static_cast<std::byte>(value));
}

io::Task<void> write_and_read(NbdWorld& world, bool structured) {
    const auto client = co_await world.connect();
    co_await client->enter("disk", structured);
    co_await client->request(asking(Command::write, 8192, 4096), filled(4096, 7));
    auto answer = co_await client->reply();
    EXPECT_EQ(answer.error, WireError::none);
    co_await client->request(asking(Command::read, 8192, 4096, 99));
    answer = co_await client->reply(4096);
    EXPECT_EQ(answer.cookie, 99u);
    EXPECT_EQ(answer.structured, structured);
    EXPECT_TRUE(answer.done);
    const auto content = std::span{answer.data}.subspan(structured ? 8 : 0);
    EXPECT_TRUE(std::ranges::equal(content, filled(4096, 7)));
    co_await client->request(asking(Command::disconnect, 0, 0));
    EXPECT_TRUE(co_await client->closed());
}

TEST(Transmission, WhatWasWrittenIsRead) {
    for (const auto structured : {false, true}) {
        NbdWorld world;
        EXPECT_TRUE(world.run(write_and_read(world, structured)));
        EXPECT_EQ(world.log(), "");
    }
}

io::Task<void> long_write(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->enter("disk", true);
    auto payload = filled(3'000'320, 0);
    for (std::size_t place = 0; place < payload.size(); ++place)
        payload[place] = static_cast<std::byte>(place / 251);
    const auto length = static_cast<std::uint32_t>(payload.size());
    co_await client->request(asking(Command::write, 512, length), payload);
    co_await client->request(asking(Command::flush, 0, 0, 2));
    co_await client->reply();
    co_await client->reply();
    EXPECT_TRUE(
        std::ranges::equal(payload, std::span{world.disk.content}.subspan(512, payload.size())));
}

TEST(Transmission, ALongWriteArrivesWholeAndWhatFollowsIsHeard) {
    NbdWorld world{3};
    world.loop().network().set_faults({.short_transfer = 0.5});
    EXPECT_TRUE(world.run(long_write(world)));
}

io::Task<void> overtake(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->enter("disk", true);
    world.disk.hold(0);
    co_await client->request(asking(Command::read, 0, 4096, 1));
    co_await client->request(asking(Command::read, 4096, 4096, 2));
    const auto first = co_await client->reply();
    EXPECT_EQ(first.cookie, 2u);
    world.disk.let_go(0);
    const auto second = co_await client->reply();
    EXPECT_EQ(second.cookie, 1u);
}

TEST(Transmission, ASlowRequestHoldsNoOtherUp) {
    NbdWorld world;
    EXPECT_TRUE(world.run(overtake(world)));
}

io::Task<void> force_unit_access(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->enter("disk", true);
    const auto asked = [&](std::vector<std::string> expected) {
        EXPECT_EQ(std::exchange(world.disk.asked, {}), expected);
    };
    const Ask plain{.command = Command::write};
    co_await client->request(plain, filled(4096, 1));
    co_await client->reply();
    asked({"write"});
    EXPECT_EQ(world.disk.unflushed, 1u);
    for (const auto& [command, words] :
         {std::pair{Command::write, "write"}, std::pair{Command::trim, "discard"},
          std::pair{Command::write_zeroes, "zero"}}) {
        const Ask forced{.command = command, .flags = command_fua};
        co_await client->request(forced, filled(command == Command::write ? 4096 : 0, 1));
        const auto answer = co_await client->reply();
        EXPECT_EQ(answer.error, WireError::none);
        asked({words, "flush"});
        EXPECT_EQ(world.disk.unflushed, 0u);
    }
    const Ask keeps{.command = Command::write_zeroes, .flags = command_no_hole};
    co_await client->request(keeps);
    co_await client->reply();
    asked({"zero, keep"});
}

TEST(Transmission, ForcedWritesAreFlushedBeforeTheyAreAnswered) {
    NbdWorld world;
    EXPECT_TRUE(world.run(force_unit_access(world)));
}

io::Task<void> zero_fast(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->enter("disk", false);
    Ask ask{.command = Command::write_zeroes, .flags = command_fast_zero, .length = 512};
    co_await client->request(ask);
    auto answer = co_await client->reply();
    EXPECT_EQ(answer.error, WireError::not_supported);
    EXPECT_TRUE(world.disk.asked.empty());
    ask.length = 4096;
    co_await client->request(ask);
    answer = co_await client->reply();
    EXPECT_EQ(answer.error, WireError::none);
}

TEST(Transmission, FastZeroesAreFastOrRefused) {
    NbdWorld world;
    EXPECT_TRUE(world.run(zero_fast(world)));
}

io::Task<void> read_holes(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->enter("disk", true);
    world.disk.content[65536] = std::byte{9};
    world.disk.kinds[16] = storage::Extent::Kind::data;
    Ask ask{.offset = 0, .length = 131072};
    co_await client->request(ask);
    const auto before = co_await client->reply();
    EXPECT_EQ(before.type, Chunk::offset_hole);
    EXPECT_FALSE(before.done);
    const auto data = co_await client->reply();
    EXPECT_EQ(data.type, Chunk::offset_data);
    EXPECT_EQ(data.data.size(), 8u + 4096u);
    EXPECT_EQ(data.data[8], std::byte{9});
    const auto after = co_await client->reply();
    EXPECT_EQ(after.type, Chunk::offset_hole);
    EXPECT_EQ(load<BigEndian<std::uint64_t>>(after.data), 65536u + 4096u);
    const auto end = co_await client->reply();
    EXPECT_EQ(end.type, Chunk::none);
    EXPECT_TRUE(end.done);
    ask.flags = command_df;
    co_await client->request(ask);
    const auto whole = co_await client->reply();
    EXPECT_EQ(whole.type, Chunk::offset_data);
    EXPECT_EQ(whole.data.size(), 8u + ask.length);
    EXPECT_TRUE(whole.done);
}

TEST(Transmission, HolesAreNotSentUnlessTheClientWantsOnePiece) {
    NbdWorld world;
    EXPECT_TRUE(world.run(read_holes(world)));
}

io::Task<void> read_scattered(NbdWorld& world) {
    for (std::size_t unit = 0; unit < 256; unit += 2)
        world.disk.kinds[unit] = storage::Extent::Kind::data;
    const auto client = co_await world.connect();
    co_await client->enter("disk", true);
    co_await client->request(asking(Command::read, 0, 1 << 20));
    std::uint64_t covered = 0;
    std::size_t chunks = 0;
    while (true) {
        const auto chunk = co_await client->reply();
        if (chunk.done) break;
        ++chunks;
        const auto hole = chunk.type == Chunk::offset_hole;
        covered += hole ? 4096 : chunk.data.size() - 8;
    }
    EXPECT_EQ(covered, 1u << 20);
    EXPECT_EQ(chunks, 64u);
}

TEST(Transmission, AReadInTooManyPiecesIsReadAsData) {
    NbdWorld world;
    EXPECT_TRUE(world.run(read_scattered(world)));
}

using Extent = std::pair<std::uint32_t, std::uint32_t>;

std::vector<Extent> extents_of(const NbdClient::Answer& answer) {
    std::vector<Extent> extents;
    ByteReader reader{answer.data};
    EXPECT_EQ(reader.take<BigEndian<std::uint32_t>>().value(), 1u);
    while (!reader.rest().empty())
        extents.emplace_back(reader.take<BigEndian<std::uint32_t>>().value(),
                             reader.take<BigEndian<std::uint32_t>>().value());
    return extents;
}

io::Task<void> map(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->enter("disk", true);
    world.disk.kinds[1] = storage::Extent::Kind::data;
    world.disk.kinds[2] = storage::Extent::Kind::zero;
    Ask ask{.command = Command::block_status, .offset = 0, .length = 32768};
    co_await client->request(ask);
    const auto answer = co_await client->reply();
    EXPECT_EQ(answer.type, Chunk::block_status);
    const std::vector<Extent> expected{{4096, 3}, {4096, 0}, {4096, 2}, {20480, 3}};
    EXPECT_EQ(extents_of(answer), expected);
    const auto end = co_await client->reply();
    EXPECT_TRUE(end.done);
    ask.flags = command_req_one;
    co_await client->request(ask);
    const auto one = co_await client->reply();
    EXPECT_EQ(extents_of(one), std::vector<Extent>{expected[0]});
    co_await client->reply();
}

TEST(Transmission, TheStatusOfBlocksIsTold) {
    NbdWorld world;
    EXPECT_TRUE(world.run(map(world)));
}

io::Task<void> fail_everything(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->enter("disk", true);
    world.disk.failure = Error{Kind::corrupt, "block 3 is not what was written"};
    for (const auto command : {Command::read, Command::write, Command::flush, Command::trim,
                               Command::write_zeroes, Command::block_status}) {
        const auto length = command == Command::flush ? 0U : 4096U;
        const Ask ask{.command = command, .length = length};
        co_await client->request(ask, filled(command == Command::write ? 4096 : 0, 1));
        const auto answer = co_await client->reply();
        EXPECT_EQ(answer.type, Chunk::error);
        EXPECT_EQ(answer.error, WireError::io);
        EXPECT_TRUE(answer.done);
        EXPECT_TRUE(as_text(answer.data).contains("block 3"));
    }
    world.disk.failure.reset();
    co_await client->request(asking(Command::read, 0, 4096));
    const auto answer = co_await client->reply();
    EXPECT_EQ(answer.error, WireError::none);
}

TEST(Transmission, AFailureOfTheDiskIsAnErrorAndTheClientGoesOn) {
    NbdWorld world;
    EXPECT_TRUE(world.run(fail_everything(world)));
    EXPECT_EQ(world.log_lines(), 1u);
    EXPECT_TRUE(world.log().contains("requests=6"));
}

io::Task<void> refuse_a_write(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->enter("disk@then", true);
    // Its payload goes nowhere, and the next request is understood.
    co_await client->request(asking(Command::write, 0, 1 << 20, 1), filled(1 << 20, 3));
    co_await client->request(asking(Command::read, 0, 4096, 2));
    const auto refused = co_await client->reply();
    EXPECT_EQ(refused.cookie, 1u);
    EXPECT_EQ(refused.error, WireError::permission);
    const auto read = co_await client->reply();
    EXPECT_EQ(read.cookie, 2u);
    EXPECT_EQ(read.error, WireError::none);
    EXPECT_EQ(world.disk.asked, std::vector<std::string>{"read"});
}

TEST(Transmission, TheContentOfARefusedWriteIsDropped) {
    NbdWorld world;
    EXPECT_TRUE(world.run(refuse_a_write(world)));
}

io::Task<void> break_off(NbdWorld& world, std::size_t length) {
    const auto client = co_await world.connect();
    co_await client->enter("disk", true);
    std::vector<std::byte> bytes(length, std::byte{0x25});
    // The server may have had enough before all of it is sent.
    static_cast<void>(co_await client->send(bytes).result());
    client->close();
    co_await world.loop().sleep(std::chrono::seconds{1});
}

TEST(Transmission, HalfARequestAndNoRequestEndTheConnection) {
    for (const std::size_t length : {1U, 27U, 28U, 100000U}) {
        NbdWorld world;
        EXPECT_TRUE(world.run(break_off(world, length)));
        EXPECT_EQ(world.log_lines(), 1u) << world.log();
    }
}

}  // namespace
}  // namespace sheaf::nbd
