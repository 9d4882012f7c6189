#include "storage/replica/salvage.h"

#include "engine_world.h"
#include "storage/replica/attachment.h"

namespace sheaf::replica {
namespace {

using namespace std::chrono_literals;

class Salvages : public EngineWorld {
  protected:
    Salvages() : EngineWorld(1_MiB) {}

    Result<Salvage> plan(sim::Place place) {
        return run(plan_salvage(kv(), "disk", name_of(place)));
    }
};

TEST_F(Salvages, TheVolumeGoesOnFromTheCopyThatIsNamed) {
    activate();
    ASSERT_TRUE(run(write(0, 1)));
    kill(2);
    ASSERT_TRUE(run(write(0, 2)));
    end_engine();
    kill(0);
    kill(1);
    start(2);
    const auto planned = plan(2).value();
    EXPECT_NE(planned.cost.find("node-2 left in generation"), std::string::npos) << planned.cost;
    ASSERT_TRUE(run(carry_out(kv(), planned)));
    auto& engine = activate();
    EXPECT_EQ(engine.membership().nodes(MemberState::in_sync), std::vector{name_of(2)});
    EXPECT_EQ(value_at(2, 0), 1);
    ASSERT_TRUE(run(write(4_KiB, 3)));
    start(0);
    start(1);
    const auto whole = [](const ReplicatedVolume& now) {
        return now.membership().nodes(MemberState::in_sync).size() == copies;
    };
    ASSERT_TRUE(becomes(whole, 60s));
    EXPECT_EQ(value_at(0, 0), 1);
    EXPECT_EQ(value_at(1, 4_KiB), 3);
}

TEST_F(Salvages, TellOfACopyThatHasAllThatItHasAll) {
    activate();
    end_engine();
    EXPECT_NE(plan(1)->cost.find("has all that was answered"), std::string::npos);
}

TEST_F(Salvages, AreRefusedWhileAnEngineHasTheVolume) {
    const auto early = plan(0).value();
    kv::Transaction transaction;
    transaction.writes.push_back(
        {attachment_key("disk"), encode_attachment({.node = "node-1", .copies = {}}), 0});
    ASSERT_TRUE(run(kv().commit(std::move(transaction))));
    const auto refused = plan(0);
    EXPECT_EQ(refused.error().kind(), Kind::conflict);
    EXPECT_NE(refused.error().text().find("attached to node node-1"), std::string::npos);
    EXPECT_EQ(run(carry_out(kv(), early)).error().kind(), Kind::conflict);
}

TEST_F(Salvages, AreRefusedWhereTheRecordHasChangedSince) {
    const auto early = plan(0).value();
    activate();
    EXPECT_EQ(run(carry_out(kv(), early)).error().kind(), Kind::conflict);
}

TEST_F(Salvages, OfWhatIsNotThereAreRefusedByName) {
    const auto elsewhere = plan(beside);
    EXPECT_EQ(elsewhere.error().kind(), Kind::invalid);
    EXPECT_NE(elsewhere.error().text().find("node-0, node-1, node-2"), std::string::npos);
    EXPECT_EQ(run(plan_salvage(kv(), "other", "node-0")).error().kind(), Kind::not_found);
}

}  // namespace
}  // namespace sheaf::replica
