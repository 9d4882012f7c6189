#include "storage/pool/layers.h"

#include "scratch_pool.h"

namespace sheaf::pool {
namespace {

class Layers : public ScratchPool {
  protected:
    Directory layers = Directory::open(path() + "/layers").value();
    Id layer{1};
    Id mine{2};
    Id other{3};
};

TEST_F(Layers, ALayerLivesAsLongAsAnybodyHasAClaim) {
    ASSERT_TRUE(add_layer(layers, layer, mine));
    ASSERT_TRUE(add_claim(layers, layer, other));
    EXPECT_TRUE(has_other_claims(layers, layer, mine).value());
    EXPECT_FALSE(end_claim(layers, layer, mine).value());
    EXPECT_FALSE(has_claim(layers, layer, mine).value());
    EXPECT_TRUE(has_claim(layers, layer, other).value());
    EXPECT_TRUE(end_claim(layers, layer, other).value());
    EXPECT_FALSE(layers.has(to_text(layer)).value());
    ASSERT_TRUE(remove_gone(layers, layer));
    EXPECT_TRUE(layers.names()->empty());
}

TEST_F(Layers, WithoutAClaimNothingEnds) {
    ASSERT_TRUE(add_layer(layers, layer, mine));
    EXPECT_FALSE(end_claim(layers, layer, other).value());
    EXPECT_FALSE(end_claim(layers, Id{9}, other).value());
    EXPECT_TRUE(layers.has(to_text(layer)).value());
}

TEST_F(Layers, OneThatIsGoneCannotBeClaimed) {
    ASSERT_TRUE(add_layer(layers, layer, mine));
    ASSERT_TRUE(end_claim(layers, layer, mine).value());
    EXPECT_EQ(add_claim(layers, layer, other).error().kind(), Kind::not_found);
}

TEST_F(Layers, AForeignFileIsNoClaim) {
    ASSERT_TRUE(add_layer(layers, layer, mine));
    put("layers/" + to_text(layer) + "/claim.somebody");
    EXPECT_FALSE(has_other_claims(layers, layer, mine).value());
}

TEST_F(Layers, WhatWasBegunOrIsGoneIsRemovedAndNothingElse) {
    const auto begun = ".new-" + to_text(Id{4});
    const auto gone = ".gone-" + to_text(Id{5});
    for (const auto& name : {begun, gone, std::string{".new-mine"}, std::string{"notes"}})
        ASSERT_TRUE(layers.make_below(name)->make_file("data"));
    ASSERT_TRUE(remove_unfinished(layers));
    EXPECT_EQ(layers.names().value(), (std::vector<std::string>{gone, ".new-mine", "notes"}));
    ASSERT_TRUE(remove_all_gone(layers));
    EXPECT_EQ(layers.names().value(), (std::vector<std::string>{".new-mine", "notes"}));
}

}  // namespace
}  // namespace sheaf::pool
