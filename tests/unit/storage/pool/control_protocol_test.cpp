#include "storage/pool/control_protocol.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace sheaf::pool {
namespace {

TEST(ControlProtocol, EntriesAreTextAndBack) {
    volume::LayerEntry entry{};
    entry.number = 7;
    entry.id = volume::Id{1, 2, 3};
    entry.name = {'a', 'b'};
    const auto text = to_text(entry);
    EXPECT_EQ(text.size(), 512u);
    const auto back = parse_layer_entry(text).value();
    EXPECT_EQ(back.number, 7u);
    EXPECT_EQ(back.id, entry.id);
    EXPECT_EQ(back.name, entry.name);
    EXPECT_FALSE(parse_layer_entry(text.substr(2)));
    EXPECT_FALSE(parse_layer_entry(text.substr(0, 511) + "g"));
}

TEST(ControlProtocol, RequestsAreWhatTheDocumentSays) {
    const auto request = decode<ControlRequest>(
        R"({"version":1,"request":"snapshot_create","name":"before-upgrade"})");
    ASSERT_TRUE(request) << request.error().text();
    EXPECT_EQ(request->request, ControlVerb::snapshot_create);
    EXPECT_EQ(request->name, "before-upgrade");
    EXPECT_FALSE(decode<ControlRequest>(R"({"version":1,"request":"destroy"})"));
    EXPECT_FALSE(decode<ControlRequest>(R"({"version":1,"request":"status","why":"so"})"));
    EXPECT_EQ(encode(ControlHello{.volume = "v"}),
              R"({"hello":"sheaf-volume","version":1,"volume":"v"})");
}

TEST(ControlProtocol, AGreetingIsOfThisVersion) {
    EXPECT_TRUE(check_hello(encode(ControlHello{.volume = "v"})));
    EXPECT_EQ(check_hello(encode(ControlHello{.version = 2})).error().kind(), Kind::unsupported);
    for (const auto* line : {"", "{", R"({"hello":"other","version":1})"})
        EXPECT_EQ(check_hello(line).error().kind(), Kind::corrupt) << line;
}

TEST(ControlProtocol, AnAnswerIsOneOfThree) {
    EXPECT_TRUE(parse_reply(R"({"progress":{"done":1,"total":2}})")->progress);
    EXPECT_TRUE(parse_reply(R"({"error":{"kind":"io","detail":"no"}})")->error);
    EXPECT_TRUE(parse_reply(R"({"result":{"size":4096}})")->result);
    for (const auto* line :
         {"", "{}", "[]", R"({"progress":{},"result":{}})", R"({"error":{"kind":"io"}})",
          R"({"result":{"snapshots":[{"name":"../a"}]}})"})
        EXPECT_EQ(parse_reply(line).error().kind(), Kind::corrupt) << line;
}

TEST(ControlProtocol, AnAnswerDoesNothingToATerminal) {
    const auto error =
        parse_reply(R"({"error":{"kind":"io","detail":"a\n\u001b[2J\u007fb \u00e4"}})");
    EXPECT_EQ(error->error->detail, "a??[2J?b \u00e4");
    const auto checked =
        parse_reply(R"({"result":{"checked":{"found":["a\rb"],"damaged":["c\td"]}}})");
    EXPECT_EQ(checked->result->checked->found.front(), "a?b");
    EXPECT_EQ(checked->result->checked->damaged.front(), "c?d");
}

}  // namespace
}  // namespace sheaf::pool
