#include "storage/replica/local_replica.h"

#include "replica_world.h"

namespace sheaf::replica {
namespace {

using LocalReplicas = ReplicaWorld;
using End = sim::ClusterHost::End;

Kind kind_of(const Result<void>& outcome) {
    return outcome ? Kind::cancelled : outcome.error().kind();
}

TEST_F(LocalReplicas, TakeNothingBeforeASeal) {
    const auto way = copy().session();
    std::vector<std::byte> content(4096, std::byte{1});
    EXPECT_EQ(kind_of(run(way->write({1, 1}, 0, content))), Kind::denied);
    EXPECT_EQ(kind_of(run(way->flush({1, 1}))), Kind::denied);
    EXPECT_TRUE(run(way->status()));
}

TEST_F(LocalReplicas, KeepTheirEpochOverEveryEnd) {
    for (const auto end : {End::clean, End::kill, End::power_cut}) {
        const auto epoch = copy().status().stamp.epoch + 5;
        {
            const auto way = copy().session();
            EXPECT_TRUE(run(way->seal(epoch, 1)));
            EXPECT_TRUE(run(way->set_generation({epoch, epoch + 3})));
        }
        restart(end);
        EXPECT_EQ(copy().status().stamp, (Stamp{epoch, epoch + 3}));
        const auto way = copy().session();
        const auto lower = run(way->seal(epoch - 1, 1));
        ASSERT_FALSE(lower);
        EXPECT_EQ(lower.error().kind(), Kind::conflict);
        EXPECT_TRUE(run(way->seal(epoch, 1)));
    }
}

TEST_F(LocalReplicas, AnEngineThatWasSupersededChangesAndReadsNothing) {
    const auto old = copy().session();
    EXPECT_TRUE(run(old->seal(1, 1)));
    std::vector<std::byte> content(4096, std::byte{1});
    EXPECT_TRUE(run(old->write({1, 1}, 0, content)));
    const auto next = copy().session();
    EXPECT_TRUE(run(next->seal(2, 1)));
    EXPECT_EQ(kind_of(run(old->write({1, 1}, 0, content))), Kind::conflict);
    EXPECT_EQ(kind_of(run(old->read({1, 1}, 0, content))), Kind::conflict);
    EXPECT_EQ(kind_of(run(old->flush({1, 1}))), Kind::conflict);
    EXPECT_EQ(kind_of(run(old->settled({1, 1}, 0))), Kind::conflict);
    EXPECT_TRUE(run(next->write({2, 2}, 0, content)));
    EXPECT_EQ(kind_of(run(next->write({3, 3}, 0, content))), Kind::denied);
}

// In the same epoch, where nothing has to be stored before the answer.
io::Task<void> seal_over(io::Loop& loop, Replica& old, Replica& next,
                         std::span<std::byte> content) {
    io::TaskGroup group;
    group.start(old.write({1, 1}, 0, content));
    EXPECT_EQ(group.size(), 1u);
    co_await next.seal(1, 2);
    co_await loop.sleep(io::Duration{0});
    EXPECT_TRUE(group.empty());
    co_await group.join();
}

TEST_F(LocalReplicas, ASealWaitsForWhatTheOtherWayCarries) {
    const auto old = copy().session();
    EXPECT_TRUE(run(old->seal(1, 1)));
    const auto next = copy().session();
    std::vector<std::byte> content(4096, std::byte{1});
    EXPECT_TRUE(run(seal_over(loop(), *old, *next, content)));
}

TEST_F(LocalReplicas, ASealThatCameLateTakesNothingOver) {
    const auto late = copy().session();
    const auto way = copy().session();
    EXPECT_TRUE(run(way->seal(1, 2)));
    const auto refused = run(late->seal(1, 1));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), Kind::unavailable);
    EXPECT_TRUE(run(way->flush({1, 1})));
    EXPECT_TRUE(run(late->seal(1, 3)));
    EXPECT_EQ(kind_of(run(way->flush({1, 1}))), Kind::unavailable);
}

TEST_F(LocalReplicas, HaveAnotherIncarnationAfterACrashAndAfterNothingElse) {
    const auto first = copy().status().incarnation;
    EXPECT_NE(first, 0u);
    restart(End::clean);
    restart(End::clean);
    EXPECT_EQ(copy().status().incarnation, first);
    restart(End::kill);
    const auto second = copy().status().incarnation;
    EXPECT_GT(second, first);
    restart(End::clean);
    EXPECT_EQ(copy().status().incarnation, second);
    restart(End::power_cut);
    EXPECT_GT(copy().status().incarnation, second);
}

io::Task<void> wait_long(io::Loop& loop) {
    co_await loop.sleep(std::chrono::seconds{10});
}

// The marks that a seal tells of.
std::vector<Range> marks(ReplicaWorld&, LocalReplica& copy, io::SimLoop& loop,
                         std::uint64_t epoch) {
    const auto way = copy.session();
    return io::run(loop, way->seal(epoch, 1)).value().marked;
}

TEST_F(LocalReplicas, MarksStayUntilTheCopiesAreSaidToBeAlike) {
    const std::vector<Range> whole{{1_MiB, 1_MiB}};
    auto way = copy().session();
    EXPECT_TRUE(run(way->seal(1, 1)));
    std::vector<std::byte> content(4096, std::byte{1});
    EXPECT_TRUE(run(way->write({1, 1}, 1_MiB, content)));
    EXPECT_TRUE(run(way->flush({1, 1})));
    EXPECT_TRUE(run(wait_long(loop())));
    EXPECT_EQ(marks(*this, copy(), loop(), 2), whole);
    way.reset();
    restart(End::clean);
    EXPECT_EQ(marks(*this, copy(), loop(), 3), whole);
    restart(End::power_cut);
    EXPECT_EQ(marks(*this, copy(), loop(), 4), whole);
    way = copy().session();
    EXPECT_TRUE(run(way->seal(5, 1)));
    const auto moment = run(way->moment({5, 5})).value();
    EXPECT_TRUE(run(way->settled({5, 5}, moment)));
    EXPECT_TRUE(run(wait_long(loop())));
    EXPECT_TRUE(marks(*this, copy(), loop(), 6).empty());
}

TEST_F(LocalReplicas, AMomentThatIsToComeSettlesNothing) {
    const auto way = copy().session();
    EXPECT_TRUE(run(way->seal(1, 1)));
    const auto moment = run(way->moment({1, 1})).value();
    EXPECT_EQ(kind_of(run(way->settled({1, 1}, moment + 1'000'000'000'000))), Kind::invalid);
}

TEST_F(LocalReplicas, DigestsAreOfContent) {
    const auto way = copy().session();
    EXPECT_TRUE(run(way->seal(1, 1)));
    const Range whole{0, size};
    const auto zeros = run(way->digests({1, 1}, whole)).value();
    ASSERT_EQ(zeros.size(), size / (128 << 10));
    std::vector<std::byte> content(4096, std::byte{1});
    EXPECT_TRUE(run(way->write({1, 1}, 128 << 10, content)));
    auto written = run(way->digests({1, 1}, whole)).value();
    EXPECT_EQ(written[0], zeros[0]);
    EXPECT_NE(written[1], zeros[1]);
    EXPECT_TRUE(run(way->zero({1, 1}, {128 << 10, 4096}, storage::Space::release)));
    EXPECT_EQ(run(way->digests({1, 1}, whole)).value(), zeros);
}

}  // namespace
}  // namespace sheaf::replica
