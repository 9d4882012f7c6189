#include "control/dependents.h"

#include <gtest/gtest.h>

#include "api/kinds.h"

namespace sheaf::control {
namespace {

TEST(Dependents, WhoWaitsIsFoundUntilItIsForgotten) {
    Dependents dependents;
    const ObjectKey a{"n", "a"};
    const ObjectKey b{"n", "b"};
    const ObjectKey image{"n", "i"};
    dependents.wait(a, api::image_kind, image);
    dependents.wait(a, api::image_kind, image);
    dependents.wait(b, api::image_kind, image);
    dependents.wait(b, api::snapshot_kind, image);
    EXPECT_EQ(dependents.of(api::image_kind, image), (std::vector<ObjectKey>{a, b}));
    EXPECT_EQ(dependents.of(api::snapshot_kind, image), std::vector<ObjectKey>{b});
    EXPECT_TRUE(dependents.of(api::image_kind, a).empty());
    dependents.forget(b);
    EXPECT_EQ(dependents.of(api::image_kind, image), std::vector<ObjectKey>{a});
    dependents.forget(a);
    EXPECT_TRUE(dependents.empty());
}

}  // namespace
}  // namespace sheaf::control
