#include "sim/sector_model.h"

#include <array>

#include <gtest/gtest.h>

namespace sheaf::sim {
namespace {

using End = SectorModel::End;

class Sectors : public testing::Test {
  protected:
    // Whether a read of the one sector may give this version.
    bool may_be(Version version) {
        std::array<std::byte, SectorModel::sector_size> bytes;
        SectorModel::fill(bytes, 0, version);
        const auto beginning = model.begin_read(all);
        return !model.end_read(all, beginning, bytes);
    }
    void write(Version version, End end = End::done) {
        model.end_write(all, model.begin_write(all, version), end);
    }
    SectorModel::Range all{0, 1};
    SectorModel model{1};
};

TEST_F(Sectors, HoldTheLastWriteAndNothingElse) {
    EXPECT_TRUE(may_be(0));
    write(1);
    write(2);
    EXPECT_FALSE(may_be(1));
    EXPECT_TRUE(may_be(2));
}

TEST_F(Sectors, HoldOneOfTwoAfterAFailedWriteAndThenStay) {
    write(1);
    write(2, End::failed);
    EXPECT_TRUE(may_be(2));
    EXPECT_FALSE(may_be(1));
}

TEST_F(Sectors, LoseNothingThatWasFlushed) {
    write(1);
    const auto began = model.now();
    write(2);
    model.flushed(began);
    model.crashed(Crash::power_cut);
    EXPECT_FALSE(may_be(7));
    EXPECT_TRUE(may_be(1));  // 2 was not flushed
    write(3);
    model.flushed(model.now());
    model.crashed(Crash::power_cut);
    EXPECT_FALSE(may_be(1));
    EXPECT_TRUE(may_be(3));
}

// Of two writes at the same time a read tells which came last; not that it was flushed.
TEST_F(Sectors, AreNotFlushedByBeingRead) {
    const auto first = model.begin_write(all, 1);
    const auto second = model.begin_write(all, 2);
    model.end_write(all, first, End::done);
    const auto began = model.now();
    model.end_write(all, second, End::done);
    EXPECT_TRUE(may_be(2));
    model.flushed(began);
    model.crashed(Crash::power_cut);
    EXPECT_TRUE(may_be(1));
}

TEST_F(Sectors, HoldTheLastOfSeveralZeroesThatAreToldApartByNothing) {
    const auto zeroing = model.begin_write(all, 0);
    const auto writing = model.begin_write(all, 1);
    model.end_write(all, writing, End::done);
    const auto began = model.now();
    model.end_write(all, zeroing, End::done);
    EXPECT_TRUE(may_be(0));
    model.flushed(began);
    model.crashed(Crash::power_cut);
    EXPECT_TRUE(may_be(1));
}

TEST_F(Sectors, HaveWhatWasAnsweredAfterAKillAndMayGoBackAfterAPowerCut) {
    write(1);
    model.crashed(Crash::kill);
    EXPECT_FALSE(may_be(0));
    EXPECT_TRUE(may_be(1));
    write(2, End::failed);
    model.crashed(Crash::kill);
    EXPECT_FALSE(may_be(0));
    EXPECT_TRUE(may_be(1));  // 2 had failed
    model.crashed(Crash::power_cut);
    EXPECT_TRUE(may_be(0));
    model.crashed(Crash::power_cut);
    EXPECT_FALSE(may_be(1));  // what a power cut left is stable
}

TEST_F(Sectors, NeverHoldWhatBelongsElsewhere) {
    write(5);
    std::array<std::byte, SectorModel::sector_size> bytes;
    SectorModel::fill(bytes, 1, 5);
    const auto beginning = model.begin_read(all);
    EXPECT_TRUE(model.end_read(all, beginning, bytes));
}

// Copies share what they have in common; what one of them learns afterwards stays its own.
TEST_F(Sectors, AreTheirOwnInACopy) {
    write(1);
    auto copy = model;
    write(2);
    EXPECT_TRUE(may_be(2));
    std::swap(model, copy);
    EXPECT_FALSE(may_be(2));
    EXPECT_TRUE(may_be(1));
    write(3, End::failed);
    std::swap(model, copy);
    EXPECT_FALSE(may_be(3));
    EXPECT_TRUE(may_be(2));
}

TEST_F(Sectors, StayFrozenAsTheyWere) {
    write(1);
    const auto before = model;
    const auto id = model.begin_write(all, 2);
    auto frozen = SectorModel::frozen(before, model);  // before or after the write: either
    model.end_write(all, id, End::done);
    model.flushed(model.now());
    model.crashed(Crash::power_cut);
    EXPECT_FALSE(may_be(1));
    std::swap(model, frozen);
    model.crashed(Crash::kill);
    EXPECT_TRUE(may_be(1));
    EXPECT_FALSE(may_be(2));  // once read it stays
}

// What is answered counts for reads that begin afterwards, and that no crash comes in between of.
TEST_F(Sectors, AreNotQuietAcrossACrash) {
    write(1);
    const auto beginning = model.begin_read(all);
    model.crashed(Crash::kill);
    std::array<std::byte, SectorModel::sector_size> bytes;
    SectorModel::fill(bytes, 0, 1);
    EXPECT_FALSE(model.end_read(all, beginning, bytes));
    SectorModel::fill(bytes, 0, 0);
    EXPECT_FALSE(model.end_read(all, beginning, bytes));
    EXPECT_FALSE(may_be(0));
}

}  // namespace
}  // namespace sheaf::sim
