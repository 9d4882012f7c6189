#include "control/controller_manager.h"

#include "control/conditions.h"
#include "unit/control/world.h"

namespace sheaf::control {
namespace {

using namespace std::chrono_literals;

constexpr auto finalizer = "sheaf.io/test";

// Things outside of the store, made and removed by hand: an object of what a reconciler is for.
struct Outside {
    std::set<std::string> things;
    std::map<std::string, int> made;
    std::set<std::string> refused;  // cannot be made
    std::set<std::string> at_work;  // right now
    int at_once = 0;
    int most_at_once = 0;
};

class Maker final : public Reconciler {
  public:
    Maker(io::Loop& loop, Process& process, Outside& outside)
        : loop_(loop), process_(process), outside_(outside) {}

    const api::Kind& kind() const override { return api::volume_kind; }
    std::span<const api::Kind* const> watched() const override {
        static constexpr auto kinds = std::to_array<const api::Kind*>({&api::image_kind});
        return kinds;
    }

    io::Task<LookAgain> reconcile(ObjectKey key, std::optional<Json> object) override {
        ++runs[key.name];
        if (!object) co_return std::nullopt;
        EXPECT_TRUE(outside_.at_work.insert(key.name).second) << key.name;
        outside_.most_at_once = std::max(outside_.most_at_once, ++outside_.at_once);
        const auto outcome = co_await act(*std::move(object)).result();
        --outside_.at_once;
        outside_.at_work.erase(key.name);
        co_await outcome;
        co_return std::nullopt;
    }

    std::map<std::string, int> runs;

  private:
    io::Task<void> act(Json object) {
        const auto uid = std::string{object.text_at({"metadata", "uid"})};
        auto& client = process_.client();
        if (api::is_terminating(object)) {
            co_await effect();
            outside_.things.erase(uid);
            co_return co_await client.remove_finalizer(kind(), object, finalizer);
        }
        co_await client.add_finalizer(kind(), object, finalizer);
        co_await effect();
        if (outside_.refused.contains(key_of(object).name))
            co_await fail(Kind::unavailable, "it cannot be made");
        if (outside_.things.insert(uid).second) ++outside_.made[uid];
        auto status = object.find("status") ? *object.find("status") : Json{};
        set_condition(status, object, {"Ready", yes, "Made", ""}, client.time());
        co_await client.set_status(kind(), object, std::move(status));
    }
    io::Task<void> effect() {
        if (!process_.life().next().happens) co_await fail(Kind::unavailable, "dead");
        co_await loop_.sleep(3ms);
    }

    io::Loop& loop_;
    Process& process_;
    Outside& outside_;
};

class ControllerManagerTest : public ControlWorld {
  protected:
    Json make(const std::string& name) {
        return create(api::volume_kind, R"({"spec":{"size":"1Gi"},"metadata":{"namespace":"default",
                                            "name":")" +
                                            name + R"("}})");
    }
    // Gives whether it was killed.
    bool run_until_killed(std::uint64_t effects) {
        Process process{*loop_, kv_, clock_, {.left = effects}};
        Maker maker{*loop_, process, outside_};
        process.add(maker);
        get(process.run_for(2s));
        return process.life().over();
    }
    bool ready(const std::string& name) {
        return condition(api::volume_kind, name, "Ready") == "True";
    }

    Outside outside_;
};

io::Task<void> create_later(io::Loop& loop, ObjectClient& client, Json object) {
    co_await loop.sleep(1s);
    static_cast<void>(co_await client.create(api::volume_kind, std::move(object)));
}

TEST_F(ControllerManagerTest, ActsOnWhatIsThereAndOnWhatComes) {
    make("a");
    Process process{*loop_, kv_, clock_};
    Maker maker{*loop_, process, outside_};
    process.add(maker);
    io::TaskGroup others;
    auto later = Json::parse(R"({"spec":{"size":"1Gi"},"metadata":{"namespace":"default",
                                 "name":"b"}})")
                     .value();
    others.start(create_later(*loop_, client_, std::move(later)));
    get(process.run_for(3s));
    EXPECT_TRUE(ready("a"));
    EXPECT_TRUE(ready("b"));
    EXPECT_EQ(outside_.things.size(), 2U);
    // Made once; looked at again because of its finalizer and its status, and then no more.
    EXPECT_LE(maker.runs["b"], 4);
}

TEST_F(ControllerManagerTest, NeverMoreAtOnceThanAllowedAndNeverTwiceTheSame) {
    for (int number = 0; number < 30; ++number) make(fmt::format("v{}", number));
    Process process{*loop_, kv_, clock_};
    Maker maker{*loop_, process, outside_};
    process.add(maker, {.most_at_once = 3});
    get(process.run_for(10s));
    EXPECT_EQ(outside_.things.size(), 30U);
    EXPECT_EQ(outside_.most_at_once, 3);
}

TEST_F(ControllerManagerTest, WhatFailsIsTriedAgainEverMoreRarelyAndHindersNobody) {
    outside_.refused.insert("a");
    make("a");
    make("b");
    Process process{*loop_, kv_, clock_};
    Maker maker{*loop_, process, outside_};
    process.add(maker);
    get(process.run_for(1min));
    EXPECT_TRUE(ready("b"));
    EXPECT_FALSE(ready("a"));
    EXPECT_GE(maker.runs["a"], 6);
    EXPECT_LE(maker.runs["a"], 14);
}

TEST_F(ControllerManagerTest, AllIsLookedAtAgainNowAndThen) {
    make("a");
    Process process{*loop_, kv_, clock_};
    Maker maker{*loop_, process, outside_};
    process.add(maker);
    get(process.run_for(1min));
    const auto before = maker.runs["a"];
    Process next{*loop_, kv_, clock_};
    Maker again{*loop_, next, outside_};
    next.add(again);
    get(next.run_for(25min));
    EXPECT_EQ(again.runs["a"], 3);  // at the start, after ten minutes and after twenty
    EXPECT_GT(before, 0);
}

io::Task<void> lose_history(io::Loop& loop, kv::Kv& kv, sim::SimKv& way, sim::SimStore& store) {
    co_await loop.sleep(1s);
    way.set_reachable(false);
    co_await loop.sleep(1s);
    for (int number = 0; number < 3; ++number) {
        const auto object = fmt::format(R"({{"metadata":{{"name":"late{0}","namespace":"default",
                                           "uid":"u{0}"}},"spec":{{"size":"1Gi"}}}})",
                                        number);
        kv::Transaction transaction;
        auto text = Json::parse(object).value().text();
        transaction.writes.push_back(
            {fmt::format("objects/sheaf.io/volumes/default/late{}", number), std::move(text)});
        static_cast<void>(store.commit(transaction));
    }
    static_cast<void>(store.compact(store.revision()));
    way.set_reachable(true);
    static_cast<void>(kv);
}

TEST_F(ControllerManagerTest, ALostHistoryIsListedAnew) {
    make("a");
    Process process{*loop_, kv_, clock_};
    Maker maker{*loop_, process, outside_};
    process.add(maker);
    io::TaskGroup others;
    others.start(lose_history(*loop_, kv_, kv_, store_));
    get(process.run_for(1min));
    for (const auto* name : {"a", "late0", "late1", "late2"}) EXPECT_TRUE(ready(name)) << name;
}

io::Task<void> stop_after(io::Loop& loop, ControllerManager& manager, io::Duration time) {
    co_await loop.sleep(time);
    manager.stop();
}

TEST_F(ControllerManagerTest, StoppedItEndsWhatItHasBegun) {
    for (int number = 0; number < 200; ++number) make(fmt::format("v{}", number));
    Process process{*loop_, kv_, clock_};
    Maker maker{*loop_, process, outside_};
    process.add(maker);
    io::TaskGroup others;
    others.start(stop_after(*loop_, process.manager(), 20ms));
    get(process.manager().run());
    EXPECT_EQ(outside_.at_once, 0);
    EXPECT_GT(outside_.things.size(), 0U);
    EXPECT_LT(outside_.things.size(), 200U);
    std::size_t told = 0;
    for (int number = 0; number < 200; ++number) told += ready(fmt::format("v{}", number)) ? 1 : 0;
    EXPECT_EQ(told, outside_.things.size());
}

// Whatever a process had done when it was killed, the next one gets to the same end.
TEST_F(ControllerManagerTest, KilledAfterAnyEffectTheNextProcessGetsThere) {
    bool killed = true;
    for (std::uint64_t left = 1; killed; ++left) {
        ASSERT_LT(left, 200U);
        make("v");
        make("doomed");
        killed = run_until_killed(left);
        remove(api::volume_kind, "doomed");
        run_until_killed(left);
        run_until_killed(UINT64_MAX);
        EXPECT_TRUE(ready("v")) << left;
        EXPECT_FALSE(read(api::volume_kind, "doomed")) << left;
        EXPECT_EQ(outside_.things.size(), 1U) << left;
        remove(api::volume_kind, "v");
        run_until_killed(UINT64_MAX);
        EXPECT_TRUE(outside_.things.empty()) << left;
    }
}

}  // namespace
}  // namespace sheaf::control
