// Several servers over one store whose way to it fails, in many orders: what was answered holds.

#include "api/objects.h"

#include <gtest/gtest.h>

#include "api/kinds.h"
#include "api/namespaces.h"
#include "api/stored_object.h"
#include "sim/sim_kv.h"

namespace sheaf::api {
namespace {

constexpr std::uint64_t histories = 40;

class StoppedClock final : public WallClock {
  public:
    TimePoint now() const override { return TimePoint{std::chrono::seconds{1'800'000'000}}; }
};

// One server of several.
struct Host {
    Host(io::SimLoop& loop, sim::SimStore& store, std::uint64_t seed)
        : kv(loop, store, seed),
          last(seed << 32),
          objects(kv, clock, [this] { return last += 0x9e3779b97f4a7c15; }) {
        kv.set_faults({.lost_request = 0.05, .lost_answer = 0.05, .broken_watch = 0.1});
    }
    sim::SimKv kv;
    StoppedClock clock;
    std::uint64_t last;
    Objects objects;
};

class Servers : public testing::TestWithParam<std::uint64_t> {
  protected:
    void run(io::Task<void> history) {
        const auto done = io::run(*loop_, std::move(history));
        EXPECT_TRUE(done) << done.error().text();
        EXPECT_TRUE(io::run(*loop_, store_.shut_down()));
    }
    std::unique_ptr<io::SimLoop> loop_ = io::SimLoop::create(GetParam()).value();
    sim::SimStore store_{*loop_};
    Host one_{*loop_, store_, GetParam() * 3 + 1};
    Host two_{*loop_, store_, GetParam() * 3 + 2};
    Host three_{*loop_, store_, GetParam() * 3 + 3};
};

INSTANTIATE_TEST_SUITE_P(Seeds, Servers, testing::Range<std::uint64_t>(1, histories + 1));

io::Task<void> ensure(Host& host, std::string name) {
    while (!(co_await host.objects.ensure_namespace(name).result()).has_value()) continue;
}

Json volume(std::string_view name) {
    return Json::parse(
               fmt::format(R"({{"metadata":{{"name":"{}"}},"spec":{{"size":"1Gi"}}}})", name))
        .value();
}

// Of the first kind that a sweeper looks at: what is late has its best chance.
Json secret(std::string_view name) {
    return Json::parse(fmt::format(R"({{"metadata":{{"name":"{}"}}}})", name)).value();
}

// Each patch adds a label of its own; the names of those that were answered are kept.
io::Task<void> label_often(Host& host, std::string prefix, std::vector<std::string>& answered) {
    const Place place{&volume_kind, "default", "v", false};
    for (int number = 0; number < 15; ++number) {
        const auto name = fmt::format("{}{}", prefix, number);
        auto labels = Json::object({{name, "x"}});
        auto metadata = Json::object({{"labels", std::move(labels)}});
        Patch patch{PatchType::merge, Json::object({{"metadata", std::move(metadata)}})};
        const auto answer = co_await host.objects.patch(place, std::move(patch), {});
        EXPECT_TRUE(answer.ok() || answer.status == 503 || answer.status == 409) << answer.body;
        if (answer.ok()) answered.push_back(name);
    }
}

io::Task<void> change_together(sim::SimStore& store, Host& one, Host& two, Host& three) {
    co_await ensure(one, "default");
    const Place place{&volume_kind, "default", {}, false};
    while (!store.get(key_of(volume_kind, "default", "v")))
        static_cast<void>(co_await one.objects.create(place, volume("v"), {}));
    std::vector<std::string> answered;
    io::TaskGroup group;
    group.start(label_often(one, "a", answered));
    group.start(label_often(two, "b", answered));
    group.start(label_often(three, "c", answered));
    co_await group.join();
    const auto record = store.get(key_of(volume_kind, "default", "v"));
    const auto object = co_await published_object(volume_kind, *record);
    EXPECT_GT(answered.size(), 20u);
    for (const auto& name : answered) EXPECT_TRUE(object.at({"metadata", "labels", name})) << name;
}

TEST_P(Servers, NoChangeThatWasAnsweredIsLost) {
    run(change_together(store_, one_, two_, three_));
}

io::Task<void> make_often(Host& host, std::string prefix, int& made) {
    const Place place{&secret_kind, "n", {}, false};
    host.kv.set_faults({.lost_answer = 0.05, .most_delay = std::chrono::milliseconds{50}});
    for (int number = 0; number < 20; ++number) {
        const auto answer =
            co_await host.objects.create(place, secret(fmt::format("{}{}", prefix, number)), {});
        if (answer.ok()) ++made;
    }
}

// Once three objects are in it.
io::Task<void> end_namespace(io::SimLoop& loop, Host& host, Logger& logger, const int& made) {
    while (made < 3) co_await loop.sleep(std::chrono::milliseconds{1});
    const Place place{&namespace_kind, {}, "n", false};
    while ((co_await host.objects.remove(place, {})).status == 503) continue;
    NamespaceSweeper sweeper{loop, host.objects, logger};
    io::TaskGroup sweeping;
    sweeping.start(sweeper.run());
    while ((co_await host.objects.get(place)).status != 404)
        co_await loop.sleep(std::chrono::milliseconds{10});
    sweeping.cancel();
    co_await sweeping.join();
}

io::Task<void> make_while_it_ends(io::SimLoop& loop, sim::SimStore& store, Host& one, Host& two,
                                  Host& three) {
    Logger silent{-1, LogLevel::error};
    co_await ensure(one, "n");
    int made = 0;
    io::TaskGroup group;
    group.start(make_often(one, "a", made));
    group.start(make_often(two, "b", made));
    group.start(end_namespace(loop, three, silent, made));
    co_await group.join();
    const kv::ListRequest request{.prefix = prefix_of(secret_kind, "n"), .after = {}};
    EXPECT_TRUE((co_await store.list(request)).records.empty());
}

TEST_P(Servers, NothingOutlivesItsNamespace) {
    run(make_while_it_ends(*loop_, store_, one_, two_, three_));
}

constexpr int many = 2100;  // objects: more than two pages of the store

Result<void> fill(sim::SimStore& store) {
    for (int number = 0; number < many;) {
        kv::Transaction transaction;
        for (std::size_t writes = 0; writes < kv::most_writes && number < many; ++writes, ++number)
            transaction.writes.push_back(
                {key_of(volume_kind, "default", fmt::format("v{:04}", number)),
                 stored_text(volume(fmt::format("v{:04}", number)))});
        TRY(store.commit(transaction));
    }
    return {};
}

io::Task<void> list_all(Host& host, std::vector<std::string>& objects) {
    const Place place{&volume_kind, "default", {}, false};
    auto listing = co_await host.objects.list(place, {});
    EXPECT_TRUE(listing);
    if (listing) objects = std::move(listing->objects);
}

// The last object goes once the first page is on its way.
io::Task<void> list_while_it_changes(io::SimLoop& loop, sim::SimStore& store, Host& host) {
    host.kv.set_faults({.least_delay = std::chrono::milliseconds{2}});
    co_await fill(store);
    std::vector<std::string> objects;
    io::TaskGroup group;
    group.start(list_all(host, objects));
    co_await loop.sleep(std::chrono::milliseconds{3});
    kv::Transaction transaction;
    transaction.writes.push_back({key_of(volume_kind, "default", "v2099"), std::nullopt});
    co_await store.commit(transaction);
    co_await group.join();
    EXPECT_EQ(objects.size(), many);
}

TEST_P(Servers, AListOfManyPagesIsOfOneRevision) {
    run(list_while_it_changes(*loop_, store_, one_));
}

}  // namespace
}  // namespace sheaf::api
