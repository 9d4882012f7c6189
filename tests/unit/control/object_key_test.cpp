#include "control/object_key.h"

#include <gtest/gtest.h>

#include "api/kinds.h"
#include "api/stored_object.h"

namespace sheaf::control {
namespace {

TEST(ObjectKey, EveryKindsRecordIsFoundAgain) {
    for (const auto* kind : api::all_kinds()) {
        const ObjectKey key{kind->namespaced() ? "n" : "", "an.object"};
        const auto parsed = parse_record_key(api::key_of(*kind, key.name_space, key.name));
        ASSERT_TRUE(parsed) << kind->name;
        EXPECT_EQ(parsed->kind, kind);
        EXPECT_EQ(parsed->key, key);
    }
}

TEST(ObjectKey, WhatIsNoRecordOfAnObjectIsNone) {
    for (const auto* key : {"", "objects/", "objects/core/secrets/", "objects/core/secrets/n",
                            "objects/core/secrets/n/", "objects/core/gadgets/n/a", "members/v"})
        EXPECT_FALSE(parse_record_key(key)) << key;
}

TEST(ObjectKey, IsShownAsNamespaceAndName) {
    EXPECT_EQ((ObjectKey{"n", "a"}.text()), "n/a");
    EXPECT_EQ((ObjectKey{"", "a"}.text()), "a");
}

}  // namespace
}  // namespace sheaf::control
