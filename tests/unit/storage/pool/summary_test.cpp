#include "storage/pool/summary.h"

#include "scratch_pool.h"

namespace sheaf::pool {
namespace {

class Summaries : public ScratchPool {
  protected:
    Summaries() { EXPECT_TRUE(create("v")); }
    Summary summary() {
        auto found = io::run(*loop, summarize(*loop, *pool, Shelf::volumes, "v"));
        EXPECT_TRUE(found) << found.error().text();
        return found.value_or(Summary{});
    }
};

TEST_F(Summaries, SayWhatTheFilesSay) {
    const auto found = summary();
    EXPECT_EQ(found.name, "v");
    EXPECT_EQ(found.state, State::clean);
    EXPECT_EQ(found.size, 16u << 20);
    EXPECT_EQ(found.layers, 1u);
    EXPECT_TRUE(found.checksums);
    EXPECT_EQ(found.created.size(), 20u);
    EXPECT_EQ(found.holder, "");
    EXPECT_EQ(found.problem, "");
}

TEST_F(Summaries, SpaceIsCountedAndWhatIsShared) {
    const auto layer = layer_of("v");
    put("layers/" + to_text(layer) + "/data", std::string(1 << 20, 'x'));
    EXPECT_GE(summary().used, 1u << 20);
    EXPECT_EQ(summary().shared, 0u);
    ASSERT_TRUE(create("other"));
    ASSERT_TRUE(hold("other")->claim(layer));
    EXPECT_EQ(summary().shared, summary().used);
}

class OpenVolumes : public Summaries {
  protected:
    io::Task<void> look_while_open(Summary& during, Summary& after) {
        {
            const auto held = co_await hold("v");
            HeldLayers layers{held};
            const auto engine = co_await open_volume(*loop, *pool, held, layers);
            during = co_await summarize(*loop, *pool, Shelf::volumes, "v");
            co_await engine->abandon();
        }
        after = co_await summarize(*loop, *pool, Shelf::volumes, "v");
    }
};

TEST_F(OpenVolumes, AreInUseAndAfterACrashNotClosed) {
    Summary during;
    Summary after;
    ASSERT_TRUE(io::run(*loop, look_while_open(during, after)));
    EXPECT_EQ(during.state, State::in_use);
    EXPECT_EQ(during.holder, fmt::format("process {} (sheaf test)", ::getpid()));
    EXPECT_EQ(after.state, State::not_closed);
    EXPECT_EQ(after.holder, "");
}

TEST_F(Summaries, DamageIsTold) {
    put("volumes/v/journal.0", "short");
    EXPECT_EQ(summary().state, State::clean);
    put("volumes/v/journal.1", "short");
    EXPECT_EQ(summary().state, State::damaged);
    EXPECT_NE(summary().problem, "");
}

}  // namespace
}  // namespace sheaf::pool
