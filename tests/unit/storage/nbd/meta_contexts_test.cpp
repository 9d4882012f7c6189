// Which questions an export answers, and what its answers look like.

#include "storage/nbd/meta_contexts.h"

#include <gtest/gtest.h>

#include "io/sim_loop.h"
#include "storage/nbd/protocol.h"
#include "support/memory_disk.h"

namespace sheaf::nbd {
namespace {

class MetaContexts : public testing::Test {
  protected:
    MetaContexts() {
        exported_.extents = &disk_;
        for (const auto* name : {"monday", "tuesday"}) exported_.changes.push_back({name, &disk_});
    }
    std::vector<std::string> found(std::vector<std::string> queries) {
        std::vector<std::string> names;
        for (const auto& context : find_contexts(exported_, queries)) names.push_back(context.name);
        return names;
    }

    std::unique_ptr<io::SimLoop> loop_ = io::SimLoop::create(1).value();
    test::MemoryDisk disk_{*loop_, 1_MiB};
    Export exported_;
};

using Names = std::vector<std::string>;

TEST_F(MetaContexts, QueriesFindByNameAndByBeginning) {
    EXPECT_EQ(found({}), (Names{"base:allocation", "sheaf:dirty:monday", "sheaf:dirty:tuesday"}));
    EXPECT_EQ(found({"base:"}), Names{"base:allocation"});
    EXPECT_EQ(found({"sheaf:"}), (Names{"sheaf:dirty:monday", "sheaf:dirty:tuesday"}));
    EXPECT_EQ(found({"sheaf:dirty:"}).size(), 2u);
    EXPECT_EQ(found({"sheaf:dirty:mon"}), Names{});
    EXPECT_EQ(found({"qemu:dirty-bitmap:x", "nonsense", ""}), Names{});
}

TEST_F(MetaContexts, WildcardsSelectNothing) {
    const Names wild{"base:", "sheaf:", "sheaf:dirty:"};
    EXPECT_TRUE(select_contexts(exported_, wild)->empty());
    const Names named{"sheaf:dirty:tuesday", "base:allocation", "sheaf:dirty:tuesday"};
    const auto selected = select_contexts(exported_, named).value();
    ASSERT_EQ(selected.size(), 2u);
    EXPECT_EQ(selected[0].id, 1u);
    EXPECT_EQ(selected[1].id, 3u);
}

TEST_F(MetaContexts, AnExportThatKnowsNothingHasNone) {
    exported_.extents = nullptr;
    exported_.changes.clear();
    EXPECT_TRUE(contexts_of(exported_).empty());
}

TEST_F(MetaContexts, OnlySoManyAtOnce) {
    Names queries;
    for (std::size_t count = 0; count <= most_contexts; ++count) {
        exported_.changes.push_back({std::to_string(count), &disk_});
        queries.push_back("sheaf:dirty:" + std::to_string(count));
    }
    const auto selected = select_contexts(exported_, queries);
    ASSERT_FALSE(selected);
    EXPECT_EQ(selected.error().kind(), Kind::exhausted);
}

TEST_F(MetaContexts, StatesAreThoseOfTheDocument) {
    using Meaning = MetaContext::Meaning;
    using Kind = storage::Extent::Kind;
    EXPECT_EQ(state_of(Meaning::allocation, Kind::hole), 3u);
    EXPECT_EQ(state_of(Meaning::allocation, Kind::zero), 2u);
    EXPECT_EQ(state_of(Meaning::allocation, Kind::data), 0u);
    EXPECT_EQ(state_of(Meaning::dirty, Kind::hole), 0u);
    EXPECT_EQ(state_of(Meaning::dirty, Kind::zero), 1u);
    EXPECT_EQ(state_of(Meaning::dirty, Kind::data), 1u);
}

}  // namespace
}  // namespace sheaf::nbd
