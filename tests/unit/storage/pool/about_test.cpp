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

}  // namespace
}  // namespace sheaf::pool
