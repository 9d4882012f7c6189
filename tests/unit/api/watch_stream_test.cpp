#include "api/watch_stream.h"

#include "world.h"

namespace sheaf::api {
namespace {

const std::string volumes = "/apis/sheaf.io/v1/namespaces/default/volumes";

// One event as "TYPE name label" and its resourceVersion.
struct Event {
    std::string what;
    std::uint64_t revision = 0;
};

class Watches : public ApiWorld {
  protected:
    Said make(std::string name, std::string_view label) {
        return ask("POST", volumes,
                   fmt::format(R"({{"metadata":{{"name":"{}","labels":{{"l":"{}"}}}},)"
                               R"("spec":{{"size":"1Gi"}}}})",
                               name, label));
    }
    Said label(std::string name, std::string_view word) {
        return patch(volumes + "/" + name, "merge-patch+json",
                     fmt::format(R"({{"metadata":{{"labels":{{"l":"{}"}}}}}})", word));
    }
    // What a watch gives that ends by its own time.
    std::vector<Event> watch(std::string parameters) {
        const auto said = ask("GET", volumes + "?watch=true&timeoutSeconds=130" + parameters);
        EXPECT_EQ(said.status, 200u) << said.text;
        std::vector<Event> events;
        for (auto rest = std::string_view{said.text}; !rest.empty();) {
            const auto end = rest.find('\n');
            const auto event = Json::parse(rest.substr(0, end)).value();
            rest.remove_prefix(end + 1);
            events.push_back(
                {fmt::format("{} {} {}", event.text_at({"type"}),
                             event.text_at({"object", "metadata", "name"}),
                             event.text_at({"object", "metadata", "labels", "l"})),
                 std::strtoull(
                     std::string{event.text_at({"object", "metadata", "resourceVersion"})}.c_str(),
                     nullptr, 10)});
        }
        return events;
    }
    static std::vector<std::string> what(const std::vector<Event>& events) {
        std::vector<std::string> words;
        for (const auto& event : events) words.push_back(event.what);
        return words;
    }
    std::string after(const Said& said) {
        return "&resourceVersion=" +
               std::string{said.body.text_at({"metadata", "resourceVersion"})};
    }
};

using Words = std::vector<std::string>;

TEST_F(Watches, GiveEveryChangeOnceAndInOrder) {
    const auto first = make("a", "x");
    make("b", "x");
    label("a", "y");
    ask("DELETE", volumes + "/b");
    make("b", "z");
    const auto events = watch(after(first));
    EXPECT_EQ(what(events), (Words{"ADDED b x", "MODIFIED a y", "DELETED b x", "ADDED b z"}));
    for (std::size_t place = 1; place < events.size(); ++place)
        EXPECT_GT(events[place].revision, events[place - 1].revision);
}

TEST_F(Watches, BeginWithWhatIsThereWhereNobodySaysWhere) {
    make("a", "x");
    make("b", "y");
    EXPECT_EQ(what(watch("")), (Words{"ADDED a x", "ADDED b y"}));
    EXPECT_EQ(what(watch("&resourceVersion=0&labelSelector=l%3Dy")), Words{"ADDED b y"});
}

TEST_F(Watches, SelectByWhatWasAndWhatIs) {
    const auto first = make("a", "x");
    make("b", "y");
    label("a", "y");
    label("a", "z");
    ask("DELETE", volumes + "/a");
    ask("DELETE", volumes + "/b");
    EXPECT_EQ(what(watch(after(first) + "&labelSelector=l%3Dy")),
              (Words{"ADDED b y", "ADDED a y", "DELETED a z", "DELETED b y"}));
    EXPECT_EQ(what(watch(after(first) + "&fieldSelector=metadata.name%3Db")),
              (Words{"ADDED b y", "DELETED b y"}));
}

TEST_F(Watches, AreToldHowFarTheyAre) {
    const auto first = make("a", "x");
    const auto events = watch(after(first) + "&allowWatchBookmarks=true");
    EXPECT_EQ(what(events), (Words{"BOOKMARK  ", "BOOKMARK  ", "BOOKMARK  "}));
    EXPECT_GE(events.front().revision, first.body.text_at({"metadata", "resourceVersion"}).size());
}

TEST_F(Watches, AHistoryThatIsForgottenIsAnErrorOfItsOwn) {
    const auto first = make("a", "x");
    label("a", "y");
    EXPECT_TRUE(io::run(*loop_, kv_.compact(store_.revision())));
    const auto said = ask("GET", volumes + "?watch=true" + after(first));
    const auto event = Json::parse(said.text.substr(0, said.text.find('\n'))).value();
    EXPECT_EQ(event.text_at({"type"}), "ERROR");
    EXPECT_EQ(event.text_at({"object", "reason"}), "Expired");
    EXPECT_EQ(event.at({"object", "code"})->integer(), 410);
}

TEST_F(Watches, AStoreThatIsAwayForAWhileLosesNothing) {
    const auto first = make("a", "x");
    make("b", "x");
    label("b", "y");
    kv_.set_faults({.broken_watch = 0.8});
    EXPECT_EQ(what(watch(after(first))), (Words{"ADDED b x", "MODIFIED b y"}));
}

TEST_F(Watches, InTablesHaveRows) {
    make("a", "x");
    const std::vector<http::Header> accept{
        {"Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"}};
    const auto said = ask("GET", volumes + "?watch=1&timeoutSeconds=1", {}, accept);
    EXPECT_EQ(said.body.text_at({"object", "kind"}), "Table");
    EXPECT_EQ(ask("GET", volumes + "?watch=1&sendInitialEvents=true").status, 422u);
}

}  // namespace
}  // namespace sheaf::api
