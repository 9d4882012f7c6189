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

}  // namespace
}  // namespace sheaf::pool
