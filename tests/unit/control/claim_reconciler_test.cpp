#include "control/claim_reconciler.h"

#include "unit/control/disks_world.h"

namespace sheaf::control {
namespace {

using namespace std::chrono_literals;

class ClaimReconcilerTest : public DisksWorld {
  protected:
    void pass(io::Duration time, Lifetime life = {}) {
        DiskProcess disks{*loop_, kv_, clock_, pool_, life};
        PersistentClaimReconciler claims{disks.process.client(), disks.process.events()};
        DataVolumeReconciler data{disks.process.client(), disks.process.events()};
        disks.process.add(claims);
        disks.process.add(data);
        get(disks.process.run_for(time));
        used_ = disks.process.life();
    }
    Json claim(std::string_view more = "", const std::string& size = "1M") {
        return create(api::persistent_volume_claim_kind,
                      fmt::format(R"({{"metadata":{{"name":"c","namespace":"default"}},"spec":{{
                                      "resources":{{"requests":{{"storage":"{}"}}}}{}}}}})",
                                  size, more));
    }
    Json data_volume(const std::string& name, std::string_view source) {
        return create(api::data_volume_kind,
                      fmt::format(R"({{"metadata":{{"name":"{}","namespace":"default"}},"spec":{{
                                      "storage":{{"resources":{{"requests":{{"storage":"1Mi"}}}}}},
                                      {}}}}})",
                                  name, source));
    }
    std::string phase(const api::Kind& kind, const std::string& name) {
        const auto object = read(kind, name);
        return object ? std::string{object->text_at({"status", "phase"})} : "gone";
    }
};

TEST_F(ClaimReconcilerTest, AClaimMakesItsVolumeOfWholeBlocksAndTakesItAway) {
    claim();
    pass(3s);
    EXPECT_EQ(phase(api::persistent_volume_claim_kind, "c"), "Bound");
    EXPECT_EQ(pool_.volumes.begin()->second.size, 1'003'520U);
    remove(api::persistent_volume_claim_kind, "c");
    pass(5s);
    EXPECT_FALSE(read(api::persistent_volume_claim_kind, "c"));
    EXPECT_FALSE(read(api::volume_kind, "c"));
    EXPECT_TRUE(pool_.volumes.empty());
}

TEST_F(ClaimReconcilerTest, AVolumeThatWasThereIsClaimedAndStays) {
    volume("c");
    claim();
    pass(3s);
    EXPECT_EQ(phase(api::persistent_volume_claim_kind, "c"), "Bound");
    remove(api::persistent_volume_claim_kind, "c");
    pass(3s);
    EXPECT_FALSE(read(api::persistent_volume_claim_kind, "c"));
    EXPECT_EQ(ready(api::volume_kind, "c"), "True");
}

TEST_F(ClaimReconcilerTest, ALargerClaimMakesItsVolumeLarger) {
    claim("", "1Mi");
    pass(3s);
    api::Patch patch{
        api::PatchType::merge,
        Json::parse(R"({"spec":{"resources":{"requests":{"storage":"2Mi"}}}})").value()};
    ObjectKey key{"default", "c"};
    get(objects_.patch(key.place(api::persistent_volume_claim_kind), std::move(patch), {}));
    pass(3s);
    EXPECT_EQ(pool_.volumes.begin()->second.size, 2U << 20);
    EXPECT_EQ(
        read(api::persistent_volume_claim_kind, "c")->text_at({"status", "capacity", "storage"}),
        "2Mi");
}

TEST_F(ClaimReconcilerTest, ADataVolumeIsFetchedAndLeavesNoImage) {
    data_volume("d", R"("source":{"http":{"url":"http://h/i"}})");
    pass(10s);
    EXPECT_EQ(phase(api::data_volume_kind, "d"), "Succeeded");
    EXPECT_FALSE(read(api::image_kind, "d"));
    EXPECT_EQ(pool_.volumes.size(), 1U);
    EXPECT_TRUE(pool_.volumes.begin()->second.origin.starts_with("image d-"));
    remove(api::data_volume_kind, "d");
    pass(5s);
    EXPECT_TRUE(pool_.volumes.empty());
}

TEST_F(ClaimReconcilerTest, ADataVolumeBeginsAsWhatItSays) {
    const auto origin = pool_name_of(volume("origin"));
    const auto image_name = pool_name_of(image("base"));
    snapshot("s", "origin");
    data_volume("copy", R"("source":{"pvc":{"name":"origin"}})");
    data_volume("back", R"("source":{"snapshot":{"name":"s","namespace":"default"}})");
    data_volume("blank", R"("source":{"blank":{}})");
    data_volume("based", R"("sourceRef":{"kind":"Image","name":"base"})");
    pass(20s);
    std::multiset<std::string> origins;
    for (const auto& [name, disk] : pool_.volumes)
        origins.insert(disk.origin.substr(0, disk.origin.find(',')));
    EXPECT_EQ(origins, (std::multiset<std::string>{"", "", "volume " + origin, "volume " + origin,
                                                   "image " + image_name}));
    for (const auto* name : {"copy", "back", "blank", "based"})
        EXPECT_EQ(phase(api::data_volume_kind, name), "Succeeded") << name;
}

TEST_F(ClaimReconcilerTest, AFailureOfTheImportIsSeen) {
    pool_.refuses_import = Error{Kind::invalid, "is no disk"};
    data_volume("d", R"("source":{"http":{"url":"http://h/i"}})");
    pass(5s);
    EXPECT_EQ(phase(api::data_volume_kind, "d"), "Failed");
    const auto object = read(api::data_volume_kind, "d");
    EXPECT_EQ(find_condition(*object->find("status"), "Ready")->text_at({"message"}), "is no disk");
}

TEST_F(ClaimReconcilerTest, KilledAfterAnyEffectTheNextProcessGetsThere) {
    bool killed = true;
    for (std::uint64_t left = 1; killed; left += 3) {
        ASSERT_LT(left, 400U);
        data_volume("d", R"("source":{"http":{"url":"http://h/i"}})");
        pass(5s, {.left = left});
        killed = used_.over();
        pass(10s);
        EXPECT_EQ(phase(api::data_volume_kind, "d"), "Succeeded") << left;
        EXPECT_EQ(pool_.volumes.size(), 1U) << left;
        EXPECT_TRUE(pool_.images.empty()) << left;
        remove(api::data_volume_kind, "d");
        pass(5s, {.left = left});
        pass(10s);
        EXPECT_TRUE(pool_.volumes.empty()) << left;
        EXPECT_FALSE(read(api::data_volume_kind, "d")) << left;
    }
}

}  // namespace
}  // namespace sheaf::control
