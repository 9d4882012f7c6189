#include "storage/pool/holding.h"

#include <fcntl.h>

#include "scratch_pool.h"
#include "storage/pool/held_layers.h"

namespace sheaf::pool {
namespace {

class Holdings : public ScratchPool {
  protected:
    Holdings() {
        EXPECT_TRUE(create("one"));
        EXPECT_TRUE(create("two"));
    }
    static int mode(const Fd& file) { return ::fcntl(file.get(), F_GETFL) & O_ACCMODE; }
    bool has_layer(const Id& layer) const { return pool->layers().has(to_text(layer)).value(); }
};

TEST_F(Holdings, OpenTheirOwnLayersAndNoOthers) {
    const auto one = hold("one").value();
    const auto two = hold("two").value();
    const auto files = one.open_files().value();
    ASSERT_EQ(files.layers.size(), 1u);
    EXPECT_EQ(files.layers[0].id, one.layers()->at(0));
    EXPECT_NE(files.layers[0].id, two.layers()->at(0));
    EXPECT_EQ(mode(files.layers[0].data), O_RDWR);
}

TEST_F(Holdings, WhatOthersHaveTooIsForReadingOnly) {
    const auto layer = layer_of("one");
    const auto two = hold("two").value();
    ASSERT_TRUE(two.claim(layer));
    const auto files = hold("one")->open_files().value();
    EXPECT_EQ(mode(files.layers.at(0).data), O_RDONLY);
    EXPECT_EQ(mode(files.layers.at(0).map), O_RDONLY);
    EXPECT_EQ(two.open_files()->layers.size(), 2u);
}

TEST_F(Holdings, ALayerOutlivesTheVolumeItCameFrom) {
    const auto layer = layer_of("one");
    const auto two = hold("two").value();
    ASSERT_TRUE(two.claim(layer));
    ASSERT_TRUE(pool->remove(hold("one").value(), Shelf::volumes));
    EXPECT_TRUE(has_layer(layer));
    EXPECT_FALSE(two.shared(layer).value());
    ASSERT_TRUE(two.release(layer));
    EXPECT_FALSE(has_layer(layer));
}

TEST_F(Holdings, AReleaseWithoutAClaimTakesNothingFromOthers) {
    const auto layer = layer_of("one");
    const auto two = hold("two").value();
    EXPECT_TRUE(two.release(layer));
    EXPECT_TRUE(has_layer(layer));
}

// Between the note and the claim, and between the claim's end and the note's.
TEST_F(Holdings, ANoteWithoutAClaimIsNoLayer) {
    put("volumes/one/layer." + to_text(layer_of("two")));
    put("volumes/one/layer." + to_text(Id{7}));
    const auto one = hold("one").value();
    EXPECT_EQ(one.open_files()->layers.size(), 1u);
    ASSERT_TRUE(one.keep_only({one.open_files()->layers[0].id}));
    EXPECT_EQ(one.layers()->size(), 1u);
    EXPECT_TRUE(has_layer(layer_of("two")));
}

TEST_F(Holdings, MissingFilesAreNamed) {
    const auto data = "layers/" + to_text(layer_of("one")) + "/data";
    std::filesystem::remove(folder / "pool" / data);
    EXPECT_NE(hold("one")->open_files().error().text().find(data), std::string::npos);
}

class LayersForAnEngine : public Holdings {
  protected:
    io::Task<void> make_and_release() {
        const auto one = co_await hold("one");
        HeldLayers layers{one};
        const Id layer{8};
        auto files = co_await layers.create(layer);
        EXPECT_EQ(mode(files.data), O_RDWR);
        EXPECT_EQ(files.data_size, 0u);
        auto shared = co_await layers.shared(layer);
        EXPECT_FALSE(shared);
        co_await hold("two")->claim(layer);
        shared = co_await layers.shared(layer);
        EXPECT_TRUE(shared);
        co_await layers.release(layer);
        EXPECT_TRUE(has_layer(layer));
        EXPECT_EQ(one.layers()->size(), 1u);
    }
};

TEST_F(LayersForAnEngine, ComeAndGo) {
    EXPECT_TRUE(io::run(*loop, make_and_release()));
}

}  // namespace
}  // namespace sheaf::pool
