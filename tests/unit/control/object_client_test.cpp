#include "control/object_client.h"

#include "unit/control/world.h"

namespace sheaf::control {
namespace {

constexpr auto one_volume =
    R"({"metadata":{"name":"v","namespace":"default"},"spec":{"size":"1Gi"}})";

class ObjectClientTest : public ControlWorld {
  protected:
    template <class T>
    Kind failure(io::Task<T> task) {
        const auto result = io::run(*loop_, std::move(task));
        EXPECT_FALSE(result);
        return result ? Kind::io : result.error().kind();
    }
};

TEST_F(ObjectClientTest, AStatusIsWrittenOnceAndOnlyOverWhatWasRead) {
    auto object = create(api::volume_kind, one_volume);
    auto stale = object;
    const auto status = Json::object({{"phase", "Ready"}});
    get(client_.set_status(api::volume_kind, object, status));
    const auto revision = store_.revision();
    get(client_.set_status(api::volume_kind, object, status));
    EXPECT_EQ(store_.revision(), revision);
    const auto other = Json::object({{"phase", "Failed"}});
    EXPECT_EQ(failure(client_.set_status(api::volume_kind, stale, other)), Kind::conflict);
    EXPECT_EQ(read(api::volume_kind, "v")->text_at({"status", "phase"}), "Ready");
}

TEST_F(ObjectClientTest, AFinalizerHoldsAnObjectUpUntilItIsRemoved) {
    auto object = create(api::volume_kind, one_volume);
    get(client_.add_finalizer(api::volume_kind, object, "sheaf.io/volume"));
    EXPECT_TRUE(has_finalizer(*read(api::volume_kind, "v"), "sheaf.io/volume"));
    remove(api::volume_kind, "v");
    auto ending = read(api::volume_kind, "v");
    ASSERT_TRUE(ending);
    EXPECT_TRUE(api::is_terminating(*ending));
    get(client_.remove_finalizer(api::volume_kind, *ending, "sheaf.io/volume"));
    EXPECT_FALSE(read(api::volume_kind, "v"));
}

TEST_F(ObjectClientTest, WhatIsGoneHasChangedAndWhatIsThereExists) {
    auto object = create(api::volume_kind, one_volume);
    EXPECT_EQ(failure(client_.create(api::volume_kind, Json::parse(one_volume).value())),
              Kind::exists);
    remove(api::volume_kind, "v");
    remove(api::volume_kind, "v");
    auto status = Json::object({{"phase", "Ready"}});
    EXPECT_EQ(failure(client_.set_status(api::volume_kind, object, std::move(status))),
              Kind::conflict);
}

TEST_F(ObjectClientTest, ListsAreWholeHoweverManyThereAre) {
    for (int number = 0; number < 1200; ++number) {
        auto metadata =
            Json::object({{"name", fmt::format("v{}", number)}, {"namespace", "default"}});
        auto spec = Json::object({{"size", "1Gi"}});
        auto one = Json::object({{"metadata", std::move(metadata)}, {"spec", std::move(spec)}});
        get(client_.create(api::volume_kind, std::move(one)));
    }
    EXPECT_EQ(get(client_.keys(api::volume_kind)).size(), 1200U);
    EXPECT_EQ(get(client_.list(api::volume_kind, "default")).size(), 1200U);
    EXPECT_EQ(get(client_.list(api::volume_kind, "other")).size(), 0U);
}

}  // namespace
}  // namespace sheaf::control
