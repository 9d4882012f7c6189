#include "control/network_reconciler.h"

#include "unit/control/world.h"

namespace sheaf::control {
namespace {

using namespace std::chrono_literals;

// A host's links in memory, which dies with its process.
class FakeLinks final : public LinkService {
  public:
    FakeLinks(std::map<std::string, net::Link>& links, Lifetime& life)
        : links_(links), life_(life) {}

    io::Task<std::optional<net::Link>> find(std::string name) override {
        const auto found = links_.find(name);
        if (found == links_.end()) co_return std::nullopt;
        co_return found->second;
    }
    io::Task<void> provide_bridge(WantedBridge wanted) override {
        co_await live();
        if (refuses) co_await Failure{*refuses};
        auto& link = links_[wanted.name];
        if (!link.name.empty() && link.alias != wanted.alias)
            co_await fail(Kind::conflict, "not Sheaf's");
        link = {.index = 1, .name = wanted.name, .kind = "bridge", .alias = wanted.alias};
    }
    io::Task<void> remove_bridge(std::string name, std::string alias) override {
        co_await live();
        const auto found = links_.find(name);
        if (found == links_.end() || found->second.alias != alias) co_return;
        if (in_use) co_await fail(Kind::conflict, "has tap0 in it");
        links_.erase(found);
    }
    io::Task<void> provide_tap(WantedTap) override { co_return; }
    io::Task<void> remove_tap(std::string, std::string) override { co_return; }

    std::optional<Error> refuses;
    bool in_use = false;

  private:
    io::Task<void> live() {
        if (!life_.next().happens) co_await fail(Kind::unavailable, "dead");
    }

    std::map<std::string, net::Link>& links_;
    Lifetime& life_;
};

class NetworkReconcilerTest : public ControlWorld {
  protected:
    Json network(const std::string& bridge) {
        return create(api::network_kind, R"({"metadata":{"name":"n","namespace":"default"},
                                             "spec":{"bridge":)" +
                                             bridge + "}}");
    }
    void pass(io::Duration time, Lifetime life = {}) {
        Process process{*loop_, kv_, clock_, life};
        FakeLinks links{links_, process.life()};
        links.refuses = refuses_;
        links.in_use = in_use_;
        NetworkReconciler networks{process.client(), process.events(), links};
        process.add(networks);
        get(process.run_for(time));
        killed_ = process.life().over();
    }
    std::string why() { return reason(api::network_kind, "n", "Ready"); }

    std::map<std::string, net::Link> links_;
    std::optional<Error> refuses_;
    bool in_use_ = false;
    bool killed_ = false;
};

TEST_F(NetworkReconcilerTest, ABridgeThatIsThereIsUsedAndStays) {
    network(R"({"name":"br0"})");
    pass(1s);
    EXPECT_EQ(why(), "BridgeNotFound");
    links_["br0"] = {.index = 1, .name = "br0", .kind = "bridge"};
    pass(1s);
    EXPECT_EQ(why(), "Found");
    remove(api::network_kind, "n");
    pass(1s);
    EXPECT_TRUE(links_.contains("br0"));
}

TEST_F(NetworkReconcilerTest, ABridgeOfItsOwnGoesWithItAndNotWhileItIsInUse) {
    const auto uid =
        std::string{network(R"({"name":"br0","create":true})").text_at({"metadata", "uid"})};
    pass(1s);
    EXPECT_EQ(links_["br0"].alias, "sheaf:" + uid);
    EXPECT_EQ(why(), "Provided");
    in_use_ = true;
    remove(api::network_kind, "n");
    pass(1s);
    EXPECT_EQ(why(), "InUse");
    in_use_ = false;
    pass(31s);
    EXPECT_TRUE(links_.empty());
    EXPECT_FALSE(read(api::network_kind, "n"));
}

TEST_F(NetworkReconcilerTest, WhatSheafDidNotMakeIsNotTouched) {
    links_["br0"] = {.index = 1, .name = "br0", .kind = "bridge", .alias = "mine"};
    network(R"({"name":"br0","create":true})");
    pass(1s);
    EXPECT_EQ(why(), "BridgeTaken");
    remove(api::network_kind, "n");
    pass(1s);
    EXPECT_EQ(links_["br0"].alias, "mine");
    EXPECT_FALSE(read(api::network_kind, "n"));
}

TEST_F(NetworkReconcilerTest, WhereLinksMayNotBeChangedItSaysSo) {
    refuses_ = Error{Kind::denied, "links of the host may not be changed by this user"};
    network(R"({"name":"br0","create":true})");
    pass(1s);
    EXPECT_EQ(why(), "NotPermitted");
}

TEST_F(NetworkReconcilerTest, TheDefaultOneIsMadeOnceInTheLifeOfAStore) {
    Lifetime life;
    FakeLinks links{links_, life};
    links_["sheaf0"] = {.index = 1, .name = "sheaf0", .kind = "bridge", .alias = "another"};
    get(ensure_default_network(client_, links));
    get(ensure_default_network(client_, links));
    EXPECT_EQ(read(api::network_kind, "default")->text_at({"spec", "bridge", "name"}), "sheaf1");
    remove(api::network_kind, "default");
    get(ensure_default_network(client_, links));
    EXPECT_FALSE(read(api::network_kind, "default"));
}

TEST_F(NetworkReconcilerTest, KilledAfterAnyEffectNoBridgeIsLeftBehind) {
    killed_ = true;
    for (std::uint64_t left = 1; killed_; ++left) {
        ASSERT_LT(left, 100U);
        network(R"({"name":"br0","create":true})");
        pass(1s, {.left = left});
        const bool killed = killed_;
        remove(api::network_kind, "n");
        pass(1s, {.left = left});
        pass(1s);
        EXPECT_TRUE(links_.empty()) << left;
        EXPECT_FALSE(read(api::network_kind, "n")) << left;
        killed_ = killed;
    }
}

}  // namespace
}  // namespace sheaf::control
