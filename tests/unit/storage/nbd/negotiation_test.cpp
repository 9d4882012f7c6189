// How a client and the server agree, or do not.

#include "storage/nbd/negotiation.h"

#include <gtest/gtest.h>

#include "support/nbd_world.h"

namespace sheaf::nbd {
namespace {

using test::asking;
using test::NbdClient;
using test::NbdWorld;

io::Task<void> list(NbdWorld& world) {
    const auto client = co_await world.connect();
    const auto greeting = co_await client->greet();
    EXPECT_EQ(greeting.magic, greeting_magic);
    EXPECT_EQ(greeting.flags, 3);
    const auto answers = co_await client->ask(OptionCode::list);
    EXPECT_EQ(answers.size(), 3u);
    EXPECT_EQ(answers[0].type, OptionReply::server);
    EXPECT_EQ(as_text(std::span{answers[1].data}.subspan(4)), "disk@thenas it was then");
    EXPECT_EQ(answers.back().type, OptionReply::ack);
    const auto refused = co_await client->ask(OptionCode::list, {std::byte{1}});
    EXPECT_EQ(refused.back().type, OptionReply::invalid);
    const auto left = co_await client->ask(OptionCode::abort, {std::byte{1}});
    EXPECT_EQ(left.back().type, OptionReply::ack);
    EXPECT_TRUE(co_await client->closed());
}

TEST(Negotiation, ExportsAreListed) {
    NbdWorld world;
    EXPECT_TRUE(world.run(list(world)));
    EXPECT_EQ(world.log(), "");
}

io::Task<void> inform(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->greet();
    const auto answers =
        co_await client->ask(OptionCode::info, NbdClient::info_data("", {1, 2, 3, 99}));
    EXPECT_EQ(answers.size(), 5u);
    ByteReader export_info{answers[0].data};
    EXPECT_EQ(export_info.take<BigEndian<std::uint16_t>>().value(), 0);
    EXPECT_EQ(export_info.take<BigEndian<std::uint64_t>>().value(), NbdWorld::disk_size);
    EXPECT_EQ(export_info.take<BigEndian<std::uint16_t>>().value(), 0b1001'0110'1101);
    ByteReader sizes{answers[1].data};
    EXPECT_EQ(sizes.take<BigEndian<std::uint16_t>>().value(), 3);
    EXPECT_EQ(sizes.take<BigEndian<std::uint32_t>>().value(), 512u);
    EXPECT_EQ(sizes.take<BigEndian<std::uint32_t>>().value(), 4096u);
    EXPECT_EQ(sizes.take<BigEndian<std::uint32_t>>().value(), 32_MiB);
    EXPECT_EQ(as_text(std::span{answers[2].data}.subspan(2)), "disk");
    EXPECT_EQ(as_text(std::span{answers[3].data}.subspan(2)), "a disk");
    EXPECT_EQ(world.open_exports, 0u);
    // Options may follow, and the export may be another.
    const auto chosen = co_await client->ask(OptionCode::go, NbdClient::info_data("disk@then"));
    EXPECT_EQ(chosen.size(), 3u);
    EXPECT_EQ(chosen[0].data.back(), std::byte{0b0000'1111});
    EXPECT_EQ(world.open_exports, 1u);
}

TEST(Negotiation, AnExportSaysWhatItIs) {
    NbdWorld world;
    EXPECT_TRUE(world.run(inform(world)));
    EXPECT_EQ(world.open_exports, 0u);
}

io::Task<void> ask_for_nothing(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->greet();
    for (const auto* name : {"nothing", "broken"}) {
        const auto answers = co_await client->ask(OptionCode::go, NbdClient::info_data(name));
        EXPECT_EQ(answers.size(), 1u);
        EXPECT_EQ(answers[0].type, OptionReply::unknown);
        EXPECT_TRUE(as_text(answers[0].data).contains(name));
    }
    const auto damaged = co_await client->ask(OptionCode::go, {std::byte{9}});
    EXPECT_EQ(damaged.back().type, OptionReply::invalid);
    for (const std::uint32_t code : {0U, 4U, 5U, 11U, 0xffffffffU}) {
        const auto unknown =
            co_await client->ask(static_cast<OptionCode>(code), {std::byte{1}, std::byte{2}});
        EXPECT_EQ(unknown.back().type, OptionReply::unsupported);
    }
}

TEST(Negotiation, WhatIsNotThereIsRefusedAndTheNextOptionHeard) {
    NbdWorld world;
    EXPECT_TRUE(world.run(ask_for_nothing(world)));
}

io::Task<void> choose_the_old_way(NbdWorld& world, std::uint32_t flags, std::size_t length) {
    const auto client = co_await world.connect();
    co_await client->greet(flags);
    const auto name = as_bytes("disk");
    co_await client->send_option(1, {name.begin(), name.end()});
    co_await client->request(asking(Command::flush, 0, 0));
    std::size_t received = 0;
    while (received < length) {
        std::array<std::byte, 256> bytes{};
        const auto room = std::span{bytes}.first(std::min(bytes.size(), length - received));
        received += co_await world.loop().read_stream(client->descriptor(), room);
    }
    const auto answer = co_await client->reply();
    EXPECT_FALSE(answer.structured);
    EXPECT_EQ(answer.error, WireError::none);
}

TEST(Negotiation, TheOldOptionIsAnsweredWithAndWithoutZeroes) {
    NbdWorld world;
    EXPECT_TRUE(world.run(choose_the_old_way(world, 3, 10)));
    NbdWorld padded;
    EXPECT_TRUE(padded.run(choose_the_old_way(padded, 1, 134)));
}

io::Task<void> choose_nothing_the_old_way(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->greet();
    const auto name = as_bytes("nothing");
    co_await client->send_option(1, {name.begin(), name.end()});
    EXPECT_TRUE(co_await client->closed());
}

TEST(Negotiation, TheOldOptionEndsTheConnectionWhereThereIsNoSuchExport) {
    NbdWorld world;
    EXPECT_TRUE(world.run(choose_nothing_the_old_way(world)));
    EXPECT_EQ(world.log_lines(), 1u);
}

io::Task<void> select(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->greet();
    const auto all = NbdClient::context_data("disk", {});
    const auto early = co_await client->ask(OptionCode::list_meta_context, all);
    EXPECT_EQ(early.back().type, OptionReply::invalid);
    co_await client->ask(OptionCode::structured_reply);
    const auto listed = co_await client->ask(OptionCode::list_meta_context, all);
    EXPECT_EQ(listed.size(), 3u);
    EXPECT_EQ(as_text(std::span{listed[1].data}.subspan(4)), "sheaf:dirty:then");
    const auto named = NbdClient::context_data("disk", {"sheaf:dirty:then", "base:"});
    const auto selected = co_await client->ask(OptionCode::set_meta_context, named);
    EXPECT_EQ(selected.size(), 2u);
    EXPECT_EQ(selected[0].data[3], std::byte{2});
    EXPECT_EQ(world.open_exports, 1u);
    // A selection that fails takes the one before it away.
    const auto nowhere = NbdClient::context_data("nothing", {"base:allocation"});
    const auto failed = co_await client->ask(OptionCode::set_meta_context, nowhere);
    EXPECT_EQ(failed.back().type, OptionReply::unknown);
    EXPECT_EQ(world.open_exports, 0u);
}

TEST(Negotiation, ContextsAreListedAndSelected) {
    NbdWorld world;
    EXPECT_TRUE(world.run(select(world)));
}

io::Task<void> select_of_another(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->greet();
    co_await client->ask(OptionCode::structured_reply);
    const auto data = NbdClient::context_data("disk@then", {"base:allocation"});
    co_await client->ask(OptionCode::set_meta_context, data);
    co_await client->ask(OptionCode::go, NbdClient::info_data("disk"));
    co_await client->request(asking(Command::block_status, 0, 4096));
    const auto answer = co_await client->reply();
    EXPECT_EQ(answer.error, WireError::invalid);
}

TEST(Negotiation, ContextsOfAnotherExportAreNotTaken) {
    NbdWorld world;
    EXPECT_TRUE(world.run(select_of_another(world)));
}

using Words = std::vector<std::byte>;

io::Task<void> say(NbdWorld& world, std::uint32_t flags, Words words) {
    const auto client = co_await world.connect();
    co_await client->greet(flags);
    co_await client->send(std::move(words));
    EXPECT_TRUE(co_await client->closed());
}

Words header(std::uint64_t magic, std::uint32_t length) {
    OptionHeader option;
    option.magic = magic;
    option.code = 99;
    option.length = length;
    const auto bytes = bytes_of(option);
    return {bytes.begin(), bytes.end()};
}

TEST(Negotiation, WhoBreaksTheProtocolIsCutOffWithOneLine) {
    const std::vector<std::pair<std::uint32_t, Words>> cases{
        {4, {}},                                // an unknown client flag
        {3, header(option_magic + 1, 0)},       // not an option
        {3, header(option_magic, 65537)},       // more data than any option has
        {3, header(option_magic, 0xffffffff)},  // the same
        {3, Words(4096, std::byte{0x5a})},      // garbage
    };
    for (const auto& [flags, words] : cases) {
        NbdWorld world;
        EXPECT_TRUE(world.run(say(world, flags, words)));
        EXPECT_EQ(world.log_lines(), 1u) << world.log();
    }
}

io::Task<void> flood(NbdWorld& world) {
    const auto client = co_await world.connect();
    co_await client->greet();
    for (unsigned count = 0; count < Negotiation::most_options; ++count)
        co_await client->ask(OptionCode::list);
    EXPECT_TRUE(co_await client->closed());
}

TEST(Negotiation, AFloodOfOptionsEnds) {
    NbdWorld world;
    EXPECT_TRUE(world.run(flood(world)));
    EXPECT_EQ(world.log_lines(), 1u);
}

io::Task<void> dawdle(NbdWorld& world) {
    const auto client = co_await world.connect();
    const auto start = world.loop().now();
    EXPECT_TRUE(co_await client->closed());
    EXPECT_GE(world.loop().now() - start, std::chrono::seconds{30});
}

TEST(Negotiation, WhoSaysNothingIsNotWaitedForForever) {
    NbdWorld world;
    EXPECT_TRUE(world.run(dawdle(world)));
    EXPECT_EQ(world.log_lines(), 1u);
}

}  // namespace
}  // namespace sheaf::nbd
