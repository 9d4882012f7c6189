#include "control/volume_reconciler.h"

#include "unit/control/disks_world.h"

namespace sheaf::control {
namespace {

using namespace std::chrono_literals;

class VolumeReconcilerTest : public DisksWorld {
  protected:
    std::string ready(const std::string& name) { return DisksWorld::ready(api::volume_kind, name); }
    std::string reason(const std::string& name) {
        return DisksWorld::reason(api::volume_kind, name, "Ready");
    }
    void patch(const std::string& name, std::string_view spec) {
        api::Patch patch{api::PatchType::merge, Json::parse(spec).value()};
        ObjectKey key{"default", name};
        const auto answer = get(objects_.patch(key.place(api::volume_kind), std::move(patch), {}));
        EXPECT_TRUE(answer.ok()) << answer.body;
    }
};

TEST_F(VolumeReconcilerTest, IsMadeOnceAndSaysWhatItIsCalledInThePool) {
    const auto name = pool_name_of(volume("v"));
    pass(2s);
    pass(2s);
    EXPECT_EQ(ready("v"), "True");
    EXPECT_EQ(pool_.created, (std::map<std::string, int>{{name, 1}}));
    EXPECT_EQ(pool_.volumes.at(name).size, 1 << 20);
    const auto object = read(api::volume_kind, "v");
    EXPECT_EQ(object->text_at({"status", "volume"}), name);
    EXPECT_EQ(object->text_at({"status", "size"}), "1Mi");
    EXPECT_EQ(object->text_at({"status", "phase"}), "Ready");
}

TEST_F(VolumeReconcilerTest, WaitsForItsImageAndBeginsAsIt) {
    volume("v", R"({"image":"i"})");
    pass(1s);
    EXPECT_EQ(ready("v"), "False");
    EXPECT_EQ(reason("v"), "SourceNotFound");
    DiskProcess disks{*loop_, kv_, clock_, pool_};
    const auto base = pool_name_of(image("i"));
    get(disks.process.run_for(2s));
    EXPECT_EQ(ready("v"), "True");
    EXPECT_EQ(pool_.volumes.begin()->second.origin, "image " + base);
}

TEST_F(VolumeReconcilerTest, OfAKernelItIsRefused) {
    image("k", "kernel");
    volume("v", R"({"image":"k"})");
    pass(2s);
    EXPECT_EQ(reason("v"), "Invalid");
    EXPECT_EQ(read(api::volume_kind, "v")->text_at({"status", "phase"}), "Failed");
    EXPECT_TRUE(pool_.volumes.empty());
}

TEST_F(VolumeReconcilerTest, ACopyLeavesNoSnapshotInItsOrigin) {
    const auto origin = pool_name_of(volume("origin"));
    pass(1s);
    const auto copy = pool_name_of(volume("copy", R"({"volume":"origin"})"));
    pass(2s);
    EXPECT_EQ(ready("copy"), "True");
    EXPECT_EQ(pool_.volumes.at(copy).origin, "volume " + origin + ", snapshot " + copy);
    EXPECT_TRUE(pool_.volumes.at(origin).snapshots.empty());
}

TEST_F(VolumeReconcilerTest, GrowsAndDoesNotShrink) {
    const auto name = pool_name_of(volume("v"));
    pass(1s);
    patch("v", R"({"spec":{"size":"3Mi"}})");
    pass(1s);
    EXPECT_EQ(pool_.volumes.at(name).size, 3 << 20);
    EXPECT_EQ(read(api::volume_kind, "v")->text_at({"status", "size"}), "3Mi");
    api::Patch smaller{api::PatchType::merge, Json::parse(R"({"spec":{"size":"2Mi"}})").value()};
    ObjectKey key{"default", "v"};
    EXPECT_EQ(get(objects_.patch(key.place(api::volume_kind), std::move(smaller), {})).status,
              422U);
}

TEST_F(VolumeReconcilerTest, InUseItStaysUntilItIsLetGoOf) {
    const auto name = pool_name_of(volume("v"));
    pass(1s);
    pool_.volumes.at(name).open = true;
    remove(api::volume_kind, "v");
    pass(20s);
    EXPECT_TRUE(pool_.volumes.contains(name));
    EXPECT_EQ(reason("v"), "InUse");
    EXPECT_EQ(read(api::volume_kind, "v")->text_at({"status", "phase"}), "Terminating");
    pool_.volumes.at(name).open = false;
    pass(10s);
    EXPECT_TRUE(pool_.volumes.empty());
    EXPECT_FALSE(read(api::volume_kind, "v"));
}

TEST_F(VolumeReconcilerTest, ItsSnapshotsHoldItUp) {
    volume("v");
    snapshot("s", "v");
    pass(2s);
    remove(api::volume_kind, "v");
    pass(2s);
    EXPECT_EQ(reason("v"), "HasSnapshots");
    EXPECT_EQ(pool_.volumes.size(), 1U);
    remove(api::snapshot_kind, "s");
    pass(2s);
    EXPECT_FALSE(read(api::volume_kind, "v"));
    EXPECT_TRUE(pool_.volumes.empty());
}

TEST_F(VolumeReconcilerTest, OneThatWasLostIsNotMadeAnewWithNothingInIt) {
    volume("v");
    pass(1s);
    pool_.volumes.clear();
    pass(2s);
    EXPECT_EQ(reason("v"), "Lost");
    EXPECT_TRUE(pool_.volumes.empty());
}

TEST_F(VolumeReconcilerTest, AFailureIsToldAndTriedAgain) {
    pool_.refuses_create = Error{Kind::exhausted, "there is no room for it in the pool"};
    volume("v");
    pass(10s);
    EXPECT_EQ(reason("v"), "NoRoom");
    EXPECT_EQ(get(client_.list(api::event_kind)).front().text_at({"message"}),
              "there is no room for it in the pool");
    pool_.refuses_create.reset();
    pass(1s);
    EXPECT_EQ(ready("v"), "True");
}

// Killed after any effect, in any of the steps of a copy, a snapshot and their ends.
TEST_F(VolumeReconcilerTest, KilledAfterAnyEffectTheNextProcessGetsThere) {
    const auto origin = pool_name_of(volume("origin"));
    pass(1s);
    bool killed = true;
    for (std::uint64_t left = 1; killed; ++left) {
        ASSERT_LT(left, 300U);
        const auto copy = fmt::format("c{}", left);
        const auto gone = fmt::format("g{}", left);
        const auto taken = fmt::format("s{}", left);
        const auto name = pool_name_of(volume(copy, R"({"volume":"origin"})"));
        const auto going = pool_name_of(volume(gone, R"({"volume":"origin"})"));
        const auto frozen = pool_name_of(snapshot(taken, "origin"));
        pass(2s, {.left = left});
        killed = used_.over();
        remove(api::volume_kind, gone);
        pass(3s, {.left = left});
        pass(10s);
        EXPECT_EQ(ready(copy), "True") << left;
        EXPECT_EQ(pool_.created[name], 1) << left;
        EXPECT_FALSE(pool_.volumes.contains(going)) << left;
        EXPECT_FALSE(read(api::volume_kind, gone)) << left;
        EXPECT_EQ(pool_.volumes.at(origin).snapshots, std::set<std::string>{frozen}) << left;
        remove(api::snapshot_kind, taken);
        remove(api::volume_kind, copy);
        pass(5s, {.left = left});
        pass(10s);
        EXPECT_TRUE(pool_.volumes.at(origin).snapshots.empty()) << left;
        EXPECT_EQ(pool_.volumes.size(), 1U) << left;
        EXPECT_EQ(get(client_.list(api::volume_kind)).size(), 1U) << left;
    }
}

}  // namespace
}  // namespace sheaf::control
