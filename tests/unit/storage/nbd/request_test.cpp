// Which requests are refused, with which error.

#include "storage/nbd/request.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace sheaf::nbd {
namespace {

constexpr std::uint64_t size = 1_GiB;

Offer offer() {
    Offer offer;
    offer.geometry.size = size;
    offer.flags = transmit_has_flags | transmit_flush | transmit_fua | transmit_trim |
                  transmit_write_zeroes | transmit_df | transmit_fast_zero;
    offer.contexts = 1;
    return offer;
}

WireError verdict(const Request& request, const Offer& offered = offer()) {
    const auto refusal = check(request, offered);
    if (!refusal) return WireError::none;
    EXPECT_FALSE(refusal->text.empty());
    return refusal->error;
}

constexpr std::array ranged{Command::read, Command::write, Command::trim, Command::write_zeroes,
                            Command::block_status};

TEST(NbdRequest, WhatIsInRangeAndWholeMayBeDone) {
    for (const auto command : ranged) {
        EXPECT_EQ(verdict({.command = command, .offset = size - 512, .length = 512}),
                  WireError::none);
        EXPECT_EQ(verdict({.command = command, .flags = command_fua, .offset = 0, .length = 4096}),
                  WireError::none);
    }
    EXPECT_EQ(verdict({.command = Command::flush}), WireError::none);
}

TEST(NbdRequest, BeyondTheEndIsNoSpaceForWhatWritesAndInvalidElse) {
    for (const auto command : ranged) {
        const auto writes = command == Command::write || command == Command::write_zeroes;
        const auto expected = writes ? WireError::no_space : WireError::invalid;
        EXPECT_EQ(verdict({.command = command, .offset = size - 512, .length = 1024}), expected);
        EXPECT_EQ(verdict({.command = command, .offset = size, .length = 512}), expected);
        EXPECT_EQ(verdict({.command = command, .offset = ~std::uint64_t{511}, .length = 1024}),
                  expected);
    }
}

TEST(NbdRequest, WholeBlocksOnly) {
    for (const auto command : ranged) {
        EXPECT_EQ(verdict({.command = command, .offset = 1, .length = 512}), WireError::invalid);
        EXPECT_EQ(verdict({.command = command, .offset = 0, .length = 511}), WireError::invalid);
        EXPECT_EQ(verdict({.command = command, .offset = 0, .length = 0}), WireError::invalid);
    }
}

TEST(NbdRequest, PayloadsHaveALimitAndRangesWithoutHaveNone) {
    constexpr std::uint32_t over = most_payload + 512;
    EXPECT_EQ(verdict({.command = Command::read, .length = most_payload}), WireError::none);
    EXPECT_EQ(verdict({.command = Command::read, .length = over}), WireError::overflow);
    EXPECT_EQ(verdict({.command = Command::write, .length = over}), WireError::invalid);
    EXPECT_EQ(verdict({.command = Command::write, .length = 0xffffffff}), WireError::invalid);
    EXPECT_EQ(verdict({.command = Command::trim, .length = over}), WireError::none);
    EXPECT_EQ(verdict({.command = Command::write_zeroes, .length = over}), WireError::none);
    auto simple = offer();
    simple.flags &= static_cast<std::uint16_t>(~transmit_df);
    EXPECT_EQ(verdict({.command = Command::read, .length = over}, simple), WireError::invalid);
}

TEST(NbdRequest, AReadOnlyExportRefusesWhatChanges) {
    auto offered = offer();
    offered.geometry.read_only = true;
    for (const auto command : {Command::write, Command::trim, Command::write_zeroes})
        EXPECT_EQ(verdict({.command = command, .length = 512}, offered), WireError::permission);
    EXPECT_EQ(verdict({.command = Command::read, .length = 512}, offered), WireError::none);
}

TEST(NbdRequest, FlagsAndCommandsThatMeanNothingAreInvalid) {
    EXPECT_EQ(verdict({.command = Command::write, .flags = command_df, .length = 512}),
              WireError::invalid);
    EXPECT_EQ(verdict({.command = Command::read, .flags = 1 << 9, .length = 512}),
              WireError::invalid);
    EXPECT_EQ(verdict({.command = Command::flush, .length = 512}), WireError::invalid);
    EXPECT_EQ(verdict({.command = static_cast<Command>(5), .length = 512}), WireError::invalid);
    EXPECT_EQ(verdict({.command = static_cast<Command>(999)}), WireError::invalid);
}

TEST(NbdRequest, WhatWasNotOfferedIsInvalid) {
    auto offered = offer();
    offered.flags = transmit_has_flags;
    offered.contexts = 0;
    EXPECT_EQ(verdict({.command = Command::trim, .length = 512}, offered), WireError::invalid);
    EXPECT_EQ(verdict({.command = Command::block_status, .length = 512}, offered),
              WireError::invalid);
    EXPECT_EQ(verdict({.command = Command::read, .flags = command_df, .length = 512}, offered),
              WireError::invalid);
}

TEST(NbdRequest, FailuresOfTheDiskBecomeErrorsOfTheProtocol) {
    EXPECT_EQ(refusal_of(Error::from_os(ENOSPC, "x")).error, WireError::no_space);
    EXPECT_EQ(refusal_of(Error::from_os(EFBIG, "x")).error, WireError::no_space);
    EXPECT_EQ(refusal_of(Error::from_os(ENOMEM, "x")).error, WireError::memory);
    EXPECT_EQ(refusal_of(Error::from_os(EIO, "x")).error, WireError::io);
    EXPECT_EQ(refusal_of(Error{Kind::corrupt, "x"}).error, WireError::io);
    EXPECT_EQ(refusal_of(Error{Kind::exhausted, "x"}).error, WireError::no_space);
    EXPECT_EQ(refusal_of(Error{Kind::cancelled, "x"}).error, WireError::shutdown);
    EXPECT_EQ(refusal_of(Error{Kind::denied, "x"}).error, WireError::permission);
}

}  // namespace
}  // namespace sheaf::nbd
