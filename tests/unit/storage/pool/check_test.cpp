#include "storage/pool/check.h"

#include "scratch_pool.h"
#include "storage/aligned_buffer.h"

namespace sheaf::pool {
namespace {

class NoSink final : public ProgressSink {
  public:
    void progressed(const ControlProgress&) override {}
};

class Checks : public ScratchPool {
  protected:
    static constexpr std::uint64_t place = 2 << 20;

    Checks() {
        EXPECT_TRUE(create("v"));
        const auto outcome = io::run(*loop, fill());
        EXPECT_TRUE(outcome) << outcome.error().text();
    }
    io::Task<void> fill() {
        auto held = co_await hold("v");
        NoUser user;
        auto opened = co_await OpenVolume::open(*loop, *pool, std::move(held), user);
        storage::AlignedBuffer buffer{1 << 20};
        std::ranges::fill(buffer.bytes(), std::byte{0x5a});
        const iovec piece{buffer.bytes().data(), buffer.bytes().size()};
        co_await opened->engine().write(place, std::span{&piece, 1});
        co_await opened->engine().snapshot("s");
        co_await opened->shut_down();
    }
    CheckReport check(Repair repair = Repair::no) {
        auto report = io::run(*loop, check_volume(*loop, *pool, "v", repair, sink));
        EXPECT_TRUE(report) << report.error().text();
        return report.value_or(CheckReport{});
    }
    // Changes a byte of the file of any layer of the volume that is this long.
    void flip(const char* name, std::uint64_t offset) {
        const auto layers = hold("v")->layers().value();
        for (const auto& layer : layers) {
            const auto file = folder / "pool/layers" / to_text(layer) / name;
            if (std::filesystem::file_size(file) <= offset) continue;
            std::fstream stream{file, std::ios::in | std::ios::out | std::ios::binary};
            stream.seekg(static_cast<std::streamoff>(offset));
            const auto byte = static_cast<char>(stream.get() ^ 1);
            stream.seekp(static_cast<std::streamoff>(offset));
            stream.put(byte);
        }
    }

    NoSink sink;
};

TEST_F(Checks, ASoundVolumeIsSound) {
    const auto report = check();
    EXPECT_EQ(report.found, std::vector<std::string>{});
    EXPECT_EQ(report.damaged, std::vector<std::string>{});
    EXPECT_EQ(report.bytes, 2u << 20);  // the volume and its snapshot
    EXPECT_EQ(report.snapshots, 1u);
}

TEST_F(Checks, AFlippedBitIsFoundWhereItIs) {
    flip("data", 5 * 4096 + 17);
    const auto report = check();
    ASSERT_FALSE(report.damaged.empty());
    EXPECT_NE(report.damaged[0].find(fmt::format("4 KiB at {}", place + 5 * 4096)),
              std::string::npos)
        << report.damaged[0];
}

TEST_F(Checks, DamageOfOneCopyOfTheJournalIsTold) {
    put("volumes/v/journal.1", std::string(64 << 10, 'x'));
    const auto report = check();
    EXPECT_TRUE(report.damaged.empty());
    ASSERT_FALSE(report.found.empty());
    EXPECT_TRUE(report.found[0].starts_with("journal.1: ")) << report.found[0];
    EXPECT_TRUE(check().found.empty());
}

TEST_F(Checks, AClaimTooManyIsEnded) {
    ASSERT_TRUE(hold("v")->make_layer(Id{9}));
    ASSERT_EQ(check().found.size(), 1u);
    EXPECT_EQ(hold("v")->layers()->size(), 2u);
    EXPECT_TRUE(check().found.empty());
}

TEST_F(Checks, WhatTheVolumeSaysOfItselfIsWrittenAnewWhenAsked) {
    put("volumes/v/about.json", "nonsense");
    EXPECT_EQ(check().damaged.size(), 1u);
    EXPECT_EQ(check(Repair::yes).found.size(), 1u);
    EXPECT_TRUE(check().found.empty());
}

TEST_F(Checks, AVolumeThatCannotBeOpenedIsDamaged) {
    for (const auto* journal : {"volumes/v/journal.0", "volumes/v/journal.1"}) put(journal, "x");
    EXPECT_FALSE(check().damaged.empty());
}

}  // namespace
}  // namespace sheaf::pool
