#include "storage/pool/about.h"

#include "scratch_pool.h"

namespace sheaf::pool {
namespace {

class Abouts : public ScratchPool {
  protected:
    Directory root = Directory::open(path()).value();
};

TEST_F(Abouts, APoolThatMakesNoSenseIsRefusedByName) {
    for (const auto* text : {"", "{", "{\"version\":1,\"hard_stop_percent\":51}",
                             "{\"version\":1,\"colour\":2}", "{\"version\":\"1\"}"}) {
        put("pool.json", text);
        const auto about = read_pool_about(root);
        ASSERT_FALSE(about) << text;
        EXPECT_EQ(about.error().kind(), Kind::corrupt) << text;
        EXPECT_NE(about.error().text().find(path() + "/pool.json"), std::string::npos);
    }
    put("pool.json", "{\"version\":2}");
    EXPECT_EQ(read_pool_about(root).error().kind(), Kind::unsupported);
}

TEST_F(Abouts, OfAVolumeAreWhatWasWritten) {
    ASSERT_TRUE(create("v"));
    const auto directory = pool->find(Shelf::volumes, "v").value();
    auto about = read_volume_about(directory).value();
    EXPECT_EQ(about.created.size(), sizeof("2000-01-01T00:00:00Z") - 1);
    about.source = "disk.raw";
    ASSERT_TRUE(write_about(directory, about));
    EXPECT_EQ(read_volume_about(directory)->source, "disk.raw");
}

TEST_F(Abouts, TheIdIsInTheJournalToo) {
    ASSERT_TRUE(create("v"));
    const auto id = hold("v")->id();
    put("volumes/v/about.json", "nonsense");
    EXPECT_EQ(hold("v")->id(), id);
    for (const auto* journal : {"volumes/v/journal.0", "volumes/v/journal.1"}) put(journal, "x");
    EXPECT_EQ(hold("v").error().kind(), Kind::corrupt);
}

// A copy that were opened by itself would differ from the others, and nobody would know.
TEST_F(Abouts, OfACopyAreInTheJournalToo) {
    const auto id = make_id().value();
    ASSERT_TRUE(io::run(*loop, create_copy(*loop, *pool, {"v", id, 1 << 20, "node-a"})));
    ASSERT_TRUE(create("w"));
    EXPECT_FALSE(is_copy(pool->find(Shelf::volumes, "w").value()));
    for (const auto* text :
         {"nonsense", R"({"version":1,"id":"00112233445566778899aabbccddeeff"})"}) {
        put("volumes/v/about.json", text);
        EXPECT_EQ(hold("v").error().kind(), Kind::conflict) << text;
        EXPECT_TRUE(pool->hold(Shelf::volumes, "v", "test", Part::copy)) << text;
    }
}

// Whatever led to it.
TEST_F(Abouts, OfACopyAreNotWhatItsEngineBelieves) {
    const auto id = make_id().value();
    ASSERT_TRUE(io::run(*loop, create_copy(*loop, *pool, {"v", id, 1 << 20, "node-a"})));
    const auto held = pool->hold(Shelf::volumes, "v", "test", Part::copy).value();
    HeldLayers layers{held};
    const auto opened = io::run(*loop, open_volume(*loop, *pool, held, layers, Part::whole));
    EXPECT_EQ(opened.error().kind(), Kind::conflict);
}

}  // namespace
}  // namespace sheaf::pool
