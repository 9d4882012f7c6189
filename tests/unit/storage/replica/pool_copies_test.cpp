// The copies of a pool as a server has them: made and removed as the store says, open while they
// are used.

#include "storage/replica/pool_copies.h"

#include <sys/mman.h>
#include <unistd.h>

#include "storage/replica/provisioning.h"
#include "store/open.h"
#include "unit/storage/pool/scratch_pool.h"

namespace sheaf::replica {
namespace {

using pool::Part;
using pool::Shelf;

class PoolCopiesTest : public pool::ScratchPool {
  protected:
    static constexpr std::uint64_t size = 16 << 20;

    PoolCopiesTest() {
        const kv::StoreLocation where{"sqlite:" + (folder / "kv").string(), {}};
        store = io::run(*loop, kv::open_store(*loop, where)).value();
        authority.emplace(*store);
        side = io::SideThread::create(*loop).value();
        copies.emplace(PoolCopies::Setting{*loop, *pool, *side, *store, *authority, logger, "a"});
        request.volume = id;
        request.node = "a";
        request.name = "disk";
    }
    ~PoolCopiesTest() override {
        EXPECT_TRUE(io::run(*loop, copies->shut_down()));
        EXPECT_TRUE(io::run(*loop, store->shut_down()));
    }

    void record(CopiesState state, std::string node = "a") {
        CopiesRecord record;
        record.id = pool::to_text(id);
        record.size = size;
        record.state = state;
        record.copies = {{std::move(node), "unix:a"}};
        kv::Transaction transaction;
        transaction.writes.push_back({copies_key("disk"), encode_copies(record), 0});
        EXPECT_TRUE(io::run(*loop, store->commit(std::move(transaction))));
    }
    Result<void> make() { return io::run(*loop, copies->create(request, size)); }
    Result<std::unique_ptr<CopyUse>> use(const std::string& node = "a") {
        return io::run(*loop, copies->open(id, node));
    }
    // Ends when nothing of the copies is under way.
    void settle() { EXPECT_TRUE(io::run(*loop, copies->shut_down())); }
    Kind refusal(const Result<void>& outcome) {
        EXPECT_FALSE(outcome);
        return outcome ? Kind::io : outcome.error().kind();
    }

    volume::Id id = pool::make_id().value();
    CopyRequest request;
    Fd log{::memfd_create("log", MFD_CLOEXEC)};
    Logger logger{log.get(), LogLevel::info};
    std::unique_ptr<kv::Kv> store;
    std::unique_ptr<io::SideThread> side;
    std::optional<RecordedAuthority> authority;
    std::optional<PoolCopies> copies;
};

TEST_F(PoolCopiesTest, AreMadeAndRemovedOnlyAsTheStoreSays) {
    const auto empty = everything();
    EXPECT_EQ(refusal(make()), Kind::denied);
    record(CopiesState::kept);
    EXPECT_EQ(refusal(make()), Kind::denied);
    record(CopiesState::creating, "b");
    EXPECT_EQ(refusal(make()), Kind::denied);
    record(CopiesState::creating);
    request.node = "b";
    EXPECT_EQ(refusal(make()), Kind::denied);
    request.node = "a";
    EXPECT_EQ(everything(), empty);
    EXPECT_TRUE(make());
    EXPECT_TRUE(make());  // it is there already
    const auto made = everything();
    EXPECT_EQ(refusal(io::run(*loop, copies->remove(request))), Kind::denied);
    EXPECT_EQ(everything(), made);
    record(CopiesState::deleting);
    EXPECT_TRUE(io::run(*loop, copies->remove(request)));
    EXPECT_TRUE(io::run(*loop, copies->remove(request)));
    EXPECT_EQ(everything(), empty);
}

TEST_F(PoolCopiesTest, AreOpenWhileTheyAreUsed) {
    record(CopiesState::creating);
    ASSERT_TRUE(make());
    auto first = use();
    ASSERT_TRUE(first) << first.error().text();
    auto second = use("");
    ASSERT_TRUE(second);
    EXPECT_EQ(&(*first)->copy(), &(*second)->copy());
    EXPECT_EQ((*first)->copy().status().size, size);
    const auto incarnation = (*first)->copy().status().incarnation;
    EXPECT_EQ(pool->hold(Shelf::volumes, "disk", "test", Part::copy).error().kind(),
              Kind::conflict);
    first->reset();
    EXPECT_EQ((*second)->copy().status().size, size);
    second->reset();
    auto third = use();  // which waits until it is closed
    ASSERT_TRUE(third);
    EXPECT_EQ((*third)->copy().status().incarnation, incarnation);
    third->reset();
    settle();
    EXPECT_TRUE(pool->hold(Shelf::volumes, "disk", "test", Part::copy));
}

TEST_F(PoolCopiesTest, OfOthersAreNotGivenOut) {
    EXPECT_EQ(use().error().kind(), Kind::not_found);
    EXPECT_EQ(use("b").error().kind(), Kind::denied);
    record(CopiesState::creating);
    ASSERT_TRUE(make());
    {
        const auto held = pool->hold(Shelf::volumes, "disk", "test", Part::copy);
        ASSERT_TRUE(held);
        ASSERT_TRUE(held->lock().begin_serving());
        EXPECT_EQ(use().error().kind(), Kind::conflict);
    }
    const auto again = use();
    EXPECT_TRUE(again) << again.error().text();
}

TEST_F(PoolCopiesTest, InUseAreNotRemoved) {
    record(CopiesState::creating);
    ASSERT_TRUE(make());
    auto used = use();
    ASSERT_TRUE(used);
    record(CopiesState::deleting);
    EXPECT_EQ(refusal(io::run(*loop, copies->remove(request))), Kind::conflict);
    used->reset();
    EXPECT_TRUE(io::run(*loop, copies->remove(request)));
}

TEST_F(PoolCopiesTest, AreNoVolumesOfTheirOwn) {
    record(CopiesState::creating);
    ASSERT_TRUE(make());
    const auto whole = pool->hold(Shelf::volumes, "disk", "test");
    ASSERT_FALSE(whole);
    EXPECT_EQ(whole.error().kind(), Kind::conflict);
    EXPECT_NE(whole.error().text().find("copy of node a"), std::string::npos);
    ASSERT_TRUE(create("mine"));
    EXPECT_EQ(pool->hold(Shelf::volumes, "mine", "test", Part::copy).error().kind(), Kind::invalid);
}

TEST(Provisioning, HasAMajorityOrOneOfTwo) {
    EXPECT_EQ(usual_minimum(1), 1);
    EXPECT_EQ(usual_minimum(2), 1);
    EXPECT_EQ(usual_minimum(3), 2);
    EXPECT_EQ(usual_minimum(5), 3);
}

}  // namespace
}  // namespace sheaf::replica
