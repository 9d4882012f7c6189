#include "devices/virtio/chain_stock.h"

#include <gtest/gtest.h>

#include "queue_fixture.h"

namespace sheaf::virtio {
namespace {

// Waits for as many as it wants, then hands the oldest back; for ever.
io::Task<void> use(ChainStock& stock, std::size_t wanted, unsigned& used) {
    while (true) {
        co_await stock.wait_for_more_than(wanted - 1);
        stock.take().set_written(++used);
    }
}

io::Task<void> fail_at_once() {
    co_await fail(Kind::io, "the user failed");
}

io::Task<void> note_outcome(Queue& queue, ChainStock& stock, io::Task<void> user,
                            std::string& outcome) {
    const auto result = co_await serve_from_stock(queue, stock, std::move(user)).result();
    outcome = result ? "ended" : result.error().text();
}

class ChainStockTest : public testing::Test {
  protected:
    void serve(io::Task<void> user) {
        group.start(note_outcome(*f.queue, stock, std::move(user), outcome));
    }
    std::uint16_t offer() { return f.driver.chain().writable(8).offer(); }

    QueueFixture f;
    ChainStock stock;
    std::string outcome;
    io::TaskGroup group;
};

TEST_F(ChainStockTest, ChainsGoOutInTheOrderTheyCame) {
    std::vector<std::uint16_t> heads;
    for (int i = 0; i < 3; ++i) {
        heads.push_back(offer());
        stock.put(*f.queue->try_next());
    }
    EXPECT_EQ(stock.size(), 3u);
    for (unsigned i = 0; i < 3; ++i) stock.take().set_written(i + 1);
    EXPECT_TRUE(stock.empty());
    test::turn(*f.loop);
    for (unsigned i = 0; i < 3; ++i)
        EXPECT_EQ(f.driver.take_used(), (test::DriverQueue::Used{heads[i], i + 1}));
}

TEST_F(ChainStockTest, TheUserWaitsUntilThereIsEnough) {
    auto used = 0u;
    serve(use(stock, 3, used));
    for (int i = 0; i < 2; ++i) {
        offer();
        f.queue->kick();
    }
    EXPECT_EQ(used, 0u);
    EXPECT_EQ(stock.size(), 2u);
    offer();
    f.queue->kick();
    EXPECT_EQ(used, 1u);
    EXPECT_EQ(stock.size(), 2u) << "it wants three again";
    f.queue->stop();
    EXPECT_EQ(outcome, "ended");
}

TEST_F(ChainStockTest, AStoppedQueueEndsTheServiceWhileTheUserWaits) {
    auto used = 0u;
    serve(use(stock, 1, used));
    EXPECT_EQ(outcome, "");
    f.queue->stop();
    EXPECT_EQ(outcome, "ended");
    EXPECT_TRUE(group.empty());
}

TEST_F(ChainStockTest, AnErrorOfTheUserIsKeptUntilTheQueueEnds) {
    serve(fail_at_once());
    EXPECT_EQ(outcome, "");
    offer();
    f.queue->kick();
    EXPECT_EQ(stock.size(), 1u) << "chains still come";
    f.queue->stop();
    EXPECT_NE(outcome.find("the user failed"), std::string::npos) << outcome;
}

}  // namespace
}  // namespace sheaf::virtio
