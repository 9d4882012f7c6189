#include "storage/replica/wire.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::replica {
namespace {

Header write_request(std::uint64_t offset, std::uint32_t length) {
    Header header;
    header.type = Type::write;
    header.volume = 1;
    header.epoch = 7;
    header.generation = 9;
    header.sequence = 5;
    header.offset = offset;
    header.length = length;
    return header;
}

std::vector<std::byte> bytes_with(Header header, std::span<const std::byte> payload) {
    const auto whole = sealed(header, payload);
    const auto bytes = bytes_of(whole);
    return {bytes.begin(), bytes.end()};
}

// Seals it again, so that only what was changed is wrong.
Result<Header> parse_changed(const Header& header) {
    const auto whole = sealed(header, {});
    return parse_header(bytes_of(whole));
}

TEST(Wire, AHeaderSurvivesItsWay) {
    const std::vector<std::byte> payload(4096, std::byte{3});
    const auto bytes = bytes_with(write_request(8192, 4096), payload);
    const auto header = parse_header(bytes);
    ASSERT_TRUE(header) << header.error().text();
    EXPECT_EQ(header->epoch, 7u);
    EXPECT_EQ(header->payload_length, 4096u);
    EXPECT_TRUE(check_request(*header));
    EXPECT_TRUE(check_payload(*header, payload));
}

TEST(Wire, EveryFlippedBitOfAHeaderIsSeen) {
    const auto bytes = bytes_with(write_request(0, 4096), std::vector<std::byte>(4096));
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        auto damaged = bytes;
        damaged[bit / 8] ^= std::byte(1U << (bit % 8));
        const auto header = parse_header(damaged);
        ASSERT_FALSE(header) << bit;
        EXPECT_EQ(header.error().kind(), Kind::corrupt);
    }
}

TEST(Wire, AFlippedBitOfAPayloadIsSeen) {
    std::vector<std::byte> payload(4096, std::byte{3});
    const auto header = sealed(write_request(0, 4096), payload);
    payload[77] ^= std::byte{1};
    EXPECT_EQ(check_payload(header, payload).error().kind(), Kind::corrupt);
}

TEST(Wire, WhatNobodySendsIsRefused) {
    auto header = write_request(0, 4096);
    header.type = static_cast<Type>(99);
    EXPECT_FALSE(parse_changed(header));
    header = write_request(0, 4096);
    header.flags = 4;
    EXPECT_FALSE(parse_changed(header));
    header.flags = flag_release;  // of a write
    EXPECT_FALSE(parse_changed(header));
    header.flags = 0;
    header.status = 1;  // of a request
    EXPECT_FALSE(parse_changed(header));
    header.flags = flag_reply;
    header.status = 13;
    EXPECT_FALSE(parse_changed(header));
    header.status = 12;
    EXPECT_TRUE(parse_changed(header));
    auto large = sealed(write_request(0, 4096), {});
    large.payload_length = most_payload + 1;
    large.checksum = 0;
    EXPECT_FALSE(parse_header(bytes_of(large)));
    EXPECT_FALSE(parse_header(std::span{bytes_of(large)}.first(63)));
}

// The form alone; what it is of is asked later.
bool has_form(Type type, std::uint64_t offset, std::uint64_t length, std::uint32_t payload) {
    Header header;
    header.type = type;
    header.offset = offset;
    header.length = length;
    header.payload_length = payload;
    return check_request(header).has_value();
}

TEST(Wire, RequestsHaveTheFormOfTheirType) {
    EXPECT_TRUE(has_form(Type::write, 4096, 8192, 8192));
    EXPECT_FALSE(has_form(Type::write, 4096, 8192, 4096));
    EXPECT_FALSE(has_form(Type::write, 512, 4096, 4096));
    EXPECT_FALSE(has_form(Type::write, 0, 0, 0));
    EXPECT_FALSE(has_form(Type::read, 0, 2 << 20, 0));
    EXPECT_FALSE(has_form(Type::read, ~std::uint64_t{4095}, 8192, 0));
    EXPECT_TRUE(has_form(Type::zero, 0, std::uint64_t{1} << 40, 0));
    EXPECT_FALSE(has_form(Type::flush, 0, 4096, 0));
    EXPECT_FALSE(has_form(Type::flush, 0, 0, 8));
    EXPECT_TRUE(has_form(Type::seal, 0, 0, 8));
    EXPECT_FALSE(has_form(Type::seal, 0, 0, 7));
    EXPECT_FALSE(has_form(Type::snapshot, 0, 0, 64));
    EXPECT_TRUE(has_form(Type::resize, 0, 4096, 0));
    EXPECT_FALSE(has_form(Type::resize, 4096, 4096, 0));
    EXPECT_TRUE(has_form(Type::digests, digest_span, digest_span + 4096, 0));
    EXPECT_FALSE(has_form(Type::digests, 4096, digest_span, 0));
    EXPECT_TRUE(has_form(Type::settled, 12345, 0, 0));
}

TEST(Wire, ARangeLiesWithinTheVolume) {
    EXPECT_TRUE(check_within(write_request(4096, 4096), 8192));
    EXPECT_EQ(check_within(write_request(8192, 4096), 8192).error().kind(), Kind::invalid);
}

TEST(Wire, AReplyIsToWhatWasAsked) {
    const auto request = write_request(0, 4096);
    EXPECT_TRUE(check_reply(request, reply_to(request)));
    EXPECT_FALSE(check_reply(request, request));
    auto other = reply_to(request);
    other.offset = 4096;
    EXPECT_FALSE(check_reply(request, other));
}

TEST(Wire, AFailureTravelsWithItsKindAndSentence) {
    auto reply = reply_to(write_request(0, 4096));
    for (const auto kind : {Kind::invalid, Kind::conflict, Kind::io}) {
        reply.status = status_of(kind);
        const Result<void> failed = failure_of(reply, as_bytes("so it\nis"));
        EXPECT_EQ(failed.error().kind(), kind);
        EXPECT_EQ(failed.error().text(), "so it?is");
    }
}

}  // namespace
}  // namespace sheaf::replica
