// Many clients, hostile clients, and the end of the server.

#include "storage/nbd/server.h"

#include <gtest/gtest.h>

#include "support/nbd_world.h"

namespace sheaf::nbd {
namespace {

using namespace std::chrono_literals;

using test::asking;
using test::NbdClient;
using test::NbdWorld;
using Clients = std::vector<std::unique_ptr<NbdClient>>;

std::vector<std::byte> filled(std::size_t length, unsigned value) {
    return std::vector<std::byte>(length, static_cast<std::byte>(value));
}

io::Task<void> read_once(NbdClient& client) {
    co_await client.request(asking(Command::read, 0, 4096));
    const auto answer = co_await client.reply();
    EXPECT_EQ(answer.error, WireError::none);
    EXPECT_EQ(answer.data.size(), 4096u + 8);
}

io::Task<void> ask_for_everything(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->enter("disk", true);
    // Takes no reply; the server stops reading when enough is in flight.
    for (unsigned count = 0; count < 100; ++count)
        co_await client->request(asking(Command::read, 0, 1 << 20, 1, command_df));
    co_await world.loop().sleep(1s);
    EXPECT_LE(world.disk.asked.size(), Transmission::most_bytes >> 20);
    EXPECT_LE(world.disk.most_running, Transmission::most_requests);
    const auto other = co_await world.connect();
    co_await other->enter("disk", true);
    co_await read_once(*other);
    // And once it takes them, all of them come.
    for (unsigned count = 0; count < 100; ++count) {
        const auto answer = co_await client->reply();
        EXPECT_EQ(answer.data.size(), (1U << 20) + 8);
    }
}

TEST(NbdServer, AClientThatTakesNoRepliesIsBoundedAndAlone) {
    NbdWorld world;
    EXPECT_TRUE(world.run(ask_for_everything(world)));
}

io::Task<void> ask_much(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->enter("disk", true);
    world.disk.hold(0);
    for (unsigned count = 0; count < 1000; ++count)
        co_await client->request(asking(Command::read, 0, 512, count));
    co_await world.loop().sleep(1s);
    EXPECT_EQ(world.disk.running, Transmission::most_requests);
    world.disk.let_go(0);
    for (unsigned count = 0; count < 1000; ++count) co_await client->reply();
}

TEST(NbdServer, RequestsInFlightAreBounded) {
    NbdWorld world;
    EXPECT_TRUE(world.run(ask_much(world)));
    EXPECT_EQ(world.disk.most_running, Transmission::most_requests);
}

// A simulated network with the thousand clients of the real one would take minutes.
constexpr Server::Limits few{.connections = 6, .refusals = 3};

io::Task<void> come_in_droves(NbdWorld& world) {
    Clients clients;
    for (std::size_t count = 0; count < few.connections; ++count) {
        clients.push_back(co_await world.connect());
        co_await clients.back()->enter("disk", true);
    }
    for (std::size_t count = 0; count < 12; ++count) clients.push_back(co_await world.connect());
    co_await world.loop().sleep(1s);
    EXPECT_EQ(world.server.serving(), few.connections);
    EXPECT_EQ(world.server.refusing(), few.refusals);
    EXPECT_TRUE(co_await clients.back()->closed());
    auto& refused = *clients[few.connections];
    co_await refused.greet();
    const auto answers = co_await refused.ask(OptionCode::go, NbdClient::info_data("disk"));
    EXPECT_EQ(answers.back().type, OptionReply::policy);
    EXPECT_TRUE(as_text(answers.back().data).contains("6 clients"));
    for (std::size_t count = 0; count < few.connections; ++count)
        co_await read_once(*clients[count]);
    // Who is refused has five seconds for it; who leaves makes room.
    co_await world.loop().sleep(6s);
    EXPECT_EQ(world.server.refusing(), 0u);
    clients.front()->close();
    co_await world.loop().sleep(1s);
    const auto late = co_await world.connect();
    co_await late->enter("disk", true);
    co_await read_once(*late);
}

TEST(NbdServer, ClientsBeyondTheBoundAreToldSo) {
    NbdWorld world{1, NbdWorld::disk_size, few};
    EXPECT_TRUE(world.run(come_in_droves(world)));
    EXPECT_EQ(world.log_lines(), 1u) << world.log();
}

io::Task<void> stop_in_the_middle(NbdWorld& world, NbdClient& client) {
    co_await client.enter("disk", true);
    world.disk.delay = 2s;
    co_await client.request(asking(Command::write, 0, 4096, 7), filled(4096, 5));
    co_await world.loop().sleep(1s);
    EXPECT_EQ(world.disk.running, 1u);
}

io::Task<void> stop_and_look(NbdWorld& world, io::Duration& lasted) {
    auto client = co_await world.connect();
    co_await stop_in_the_middle(world, *client);
    const auto start = world.loop().now();
    world.server.stop();
    const auto answer = co_await client->reply();
    EXPECT_EQ(answer.cookie, 7u);
    EXPECT_EQ(answer.error, WireError::none);
    EXPECT_TRUE(co_await client->closed());
    lasted = world.loop().now() - start;
}

TEST(NbdServer, WhatIsInFlightAtTheEndIsFinishedAndAnswered) {
    NbdWorld world;
    io::Duration lasted{};
    EXPECT_TRUE(world.run(stop_and_look(world, lasted)));
    EXPECT_LT(lasted, 2s);
    EXPECT_EQ(world.disk.content[0], std::byte{5});
    EXPECT_EQ(world.open_exports, 0u);
}

io::Task<void> hang(NbdWorld& world, std::unique_ptr<NbdClient>& client) {
    client = co_await world.connect();
    co_await client->enter("disk", true);
    world.disk.hold(0);
    co_await client->request(asking(Command::read, 0, 4096));
    co_await world.loop().sleep(1s);
}

TEST(NbdServer, TheEndWaitsForNobodyForever) {
    NbdWorld world;
    std::unique_ptr<NbdClient> client;
    const auto start = world.loop().now();
    EXPECT_TRUE(world.run(hang(world, client)));
    EXPECT_GE(world.loop().now() - start, 11s);
    EXPECT_LT(world.loop().now() - start, 12s);
    EXPECT_EQ(world.open_exports, 0u);
}

// A conversation with everything in it, for cutting it anywhere.
io::Task<void> converse(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->enter("disk", true);
    co_await client->request(asking(Command::write, 0, 100 << 10, 1), filled(100 << 10, 1));
    co_await client->request(asking(Command::flush, 0, 0, 2));
    co_await client->request(asking(Command::read, 0, 256 << 10, 3));
    co_await client->request(asking(Command::block_status, 0, 1 << 20, 4));
    co_await client->request(asking(Command::trim, 0, 4096, 5, command_fua));
    for (unsigned ended = 0; ended < 5;) ended += (co_await client->reply()).done ? 1 : 0;
    co_await client->request(asking(Command::disconnect, 0, 0));
    EXPECT_TRUE(co_await client->closed());
}

io::Task<void> cut(NbdWorld& world, io::Duration after, bool& finished) {
    io::TaskGroup group;
    group.start(converse(world));
    co_await world.loop().sleep(after);
    finished = group.empty();
    // The client's descriptor goes with its frame, wherever it was.
    group.cancel();
    static_cast<void>(co_await group.join().result());
    const auto other = co_await world.connect();
    co_await other->enter("disk", true);
    co_await read_once(*other);
}

TEST(NbdServer, AClientMayGoAtAnyInstant) {
    bool finished = false;
    unsigned cuts = 0;
    for (io::Duration after{}; !finished; after += 37us) {
        NbdWorld world{cuts};
        world.disk.delay = 100us;
        ASSERT_TRUE(world.run(cut(world, after, finished))) << after.count();
        ASSERT_EQ(world.open_exports, 0u);
        ASSERT_EQ(world.disk.running, 0u);
        ASSERT_LE(world.log_lines(), 1u) << world.log();
        ++cuts;
    }
    EXPECT_GT(cuts, 50u);
}

io::Task<void> converse_with_resets(NbdWorld& world) {
    // Whether it ends well is up to the network.
    static_cast<void>(co_await converse(world).result());
}

io::Task<void> converse_at_once(NbdWorld& world) {
    io::TaskGroup group;
    for (unsigned count = 0; count < 8; ++count) group.start(converse_with_resets(world));
    co_await group.join();
    world.loop().network().set_faults({});
    co_await converse(world);
}

TEST(NbdServer, ANetworkThatBreaksCostsItsConnectionsOnly) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        NbdWorld world{seed};
        world.disk.delay = 50us;
        world.loop().network().set_faults({.reset = 0.01, .short_transfer = 0.3});
        ASSERT_TRUE(world.run(converse_at_once(world))) << seed;
        ASSERT_EQ(world.open_exports, 0u);
        ASSERT_EQ(world.disk.running, 0u);
    }
}

io::Task<void> stop_after(NbdWorld& world, io::Duration after, bool& finished) {
    io::TaskGroup group;
    group.start(converse_with_resets(world));
    co_await world.loop().sleep(after);
    finished = group.empty();
    world.server.stop();
    co_await group.join();
}

TEST(NbdServer, TheServerMayEndAtAnyInstant) {
    bool finished = false;
    for (io::Duration after{}; !finished; after += 41us) {
        NbdWorld world{7};
        world.disk.delay = 100us;
        ASSERT_TRUE(world.run(stop_after(world, after, finished))) << after.count();
        ASSERT_EQ(world.open_exports, 0u);
        ASSERT_EQ(world.disk.running, 0u);
    }
}

}  // namespace
}  // namespace sheaf::nbd
