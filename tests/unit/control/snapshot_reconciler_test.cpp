#include "control/snapshot_reconciler.h"

#include "unit/control/disks_world.h"

namespace sheaf::control {
namespace {

using namespace std::chrono_literals;

class SnapshotReconcilerTest : public DisksWorld {
  protected:
    std::string reason() { return DisksWorld::reason(api::snapshot_kind, "s", "Ready"); }
};

TEST_F(SnapshotReconcilerTest, IsTakenOnceItsVolumeIsReady) {
    snapshot("s", "v");
    pass(1s);
    EXPECT_EQ(reason(), "SourceNotFound");
    const auto name = pool_name_of(volume("v"));
    pass(2s);
    EXPECT_EQ(reason(), "Taken");
    const auto object = read(api::snapshot_kind, "s");
    EXPECT_EQ(pool_.volumes.at(name).snapshots, std::set<std::string>{pool_name_of(*object)});
    EXPECT_EQ(object->text_at({"status", "volume"}), name);
    EXPECT_FALSE(object->text_at({"status", "creationTime"}).empty());
}

TEST_F(SnapshotReconcilerTest, OfAMachineItIsRefusedInWords) {
    create(api::snapshot_kind, R"({"metadata":{"name":"s","namespace":"default"},
                                   "spec":{"virtualMachine":"m"}})");
    pass(1s);
    EXPECT_EQ(reason(), "NotSupported");
    remove(api::snapshot_kind, "s");
    pass(1s);
    EXPECT_FALSE(read(api::snapshot_kind, "s"));
}

TEST_F(SnapshotReconcilerTest, AVolumeBeginsAsItAndNotAsWhatCameAfter) {
    volume("v");
    snapshot("s", "v");
    const auto begun = pool_name_of(volume("w", R"({"snapshot":"s"})"));
    pass(3s);
    const auto object = read(api::snapshot_kind, "s");
    EXPECT_EQ(pool_.volumes.at(begun).origin,
              fmt::format("volume {}, snapshot {}", object->text_at({"status", "volume"}),
                          pool_name_of(*object)));
}

}  // namespace
}  // namespace sheaf::control
