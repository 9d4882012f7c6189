#include "node/layer_requests.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "io/task_group.h"
#include "node/control.h"
#include "node/descriptor_passing.h"
#include "storage/pool/engine.h"
#include "support/turns.h"

namespace sheaf::node {
namespace {

class LayerRequests : public testing::Test {
  protected:
    LayerRequests() {
        auto name = std::string{"/tmp/layer_requests_test.XXXXXX"};
        folder = ::mkdtemp(name.data());
        pool = pool::Pool::open_or_make(folder / "pool").value();
        EXPECT_TRUE(
            io::run(*loop, pool::create_volume(*loop, *pool, {.name = "v", .size = 1 << 20})));
        holding.emplace(pool->hold(pool::Shelf::volumes, "v", "test").value());
        auto [keeper_end, vmm_end] = make_control_channel().value();
        keeper = std::move(keeper_end);
        vmm = vmm_end.duplicate().value();
        layers.emplace(*loop, std::move(vmm_end));
        answering.start(answer_layer_requests(*loop, keeper.get(), *holding));
    }
    ~LayerRequests() override {
        answering.cancel();
        EXPECT_TRUE(test::run_until(*loop, [&] { return answering.empty(); }));
        std::filesystem::remove_all(folder);
    }
    io::Task<void> make_ask_and_release() {
        const volume::Id layer{7};
        const auto path = folder / "pool/layers" / pool::to_text(layer);
        auto files = co_await layers->create(layer);
        EXPECT_TRUE(std::filesystem::exists(path / "data"));
        struct stat opened{};
        struct stat named{};
        EXPECT_EQ(::fstat(files.data.get(), &opened), 0);
        EXPECT_EQ(::stat((path / "data").c_str(), &named), 0);
        EXPECT_EQ(opened.st_ino, named.st_ino);
        EXPECT_NE(::fcntl(files.map.get(), F_GETFD) & FD_CLOEXEC, 0);
        const auto shared = co_await layers->shared(layer);
        EXPECT_FALSE(shared);
        co_await layers->release(layer);
        EXPECT_FALSE(std::filesystem::exists(path));
    }
    io::Task<void> ask_for_nothing() { static_cast<void>(co_await layers->shared(volume::Id{9})); }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    std::filesystem::path folder;
    std::unique_ptr<pool::Pool> pool;
    std::optional<pool::Holding> holding;
    Fd keeper;
    Fd vmm;
    std::optional<KeeperLayers> layers;
    io::TaskGroup answering;
};

TEST_F(LayerRequests, ALayerIsMadeAskedForAndReleased) {
    const auto outcome = io::run(*loop, make_ask_and_release());
    EXPECT_TRUE(outcome) << outcome.error().text();
}

TEST_F(LayerRequests, AnErrorOfTheKeeperIsOneOfTheEngine) {
    const auto outcome = io::run(*loop, ask_for_nothing());
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::not_found);
}

// The VMM may have been taken over by its guest.
TEST_F(LayerRequests, NonsenseIsAnsweredOrDroppedAndHarmsNothing) {
    for (const auto* packet :
         {"{", "{\"verb\":\"destroy\",\"layer\":\"\"}",
          "{\"verb\":\"release\",\"layer\":\"../../../../etc\"}",
          "{\"verb\":\"create\",\"layer\":\"00000000000000000000000000000000/../x\"}"}) {
        auto [mine, theirs] = make_control_channel().value();
        const auto beside = theirs.get();
        ASSERT_TRUE(send_with_descriptors(vmm.get(), packet, std::span{&beside, 1}));
        ASSERT_TRUE(send_with_descriptors(vmm.get(), packet, {}));
        theirs.reset();
    }
    EXPECT_TRUE(io::run(*loop, make_ask_and_release()));
    EXPECT_EQ(holding->layers()->size(), 1u);
}

}  // namespace
}  // namespace sheaf::node
