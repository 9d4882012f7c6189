#include "storage/replica/messages.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::replica {
namespace {

Sealed some_sealed() {
    Sealed sealed;
    sealed.before = {3, 8};
    sealed.incarnation = 5;
    sealed.size = 16 << 20;
    sealed.marked = {{0, 1 << 20}, {3 << 20, 2 << 20}};
    sealed.snapshots = {"monday", "tuesday"};
    return sealed;
}

// Whatever is missing at its end, or follows it, is noticed.
template <class Parse>
void expect_whole_only(const Bytes& bytes, Parse parse) {
    ASSERT_TRUE(parse(bytes));
    for (std::size_t length = 0; length < bytes.size(); ++length)
        EXPECT_FALSE(parse(std::span{bytes}.first(length))) << length;
    auto longer = bytes;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(parse(longer));
}

TEST(ReplicaMessages, SurviveTheirWayAndOnlyWhole) {
    Hello hello;
    hello.volume = {1, 2, 3};
    hello.node = "node-a";
    EXPECT_EQ(parse_hello(encode(hello)).value(), hello);
    expect_whole_only(encode(hello), parse_hello);
    Welcome welcome;
    welcome.volume = 1;
    welcome.incarnation = 9;
    welcome.size = 4096;
    EXPECT_EQ(parse_welcome(encode(welcome)).value(), welcome);
    expect_whole_only(encode(welcome), parse_welcome);
    EXPECT_EQ(parse_sealed(encode(some_sealed())).value(), some_sealed());
    expect_whole_only(encode(some_sealed()), parse_sealed);
    const Status status{{1, 2}, 3, 4096};
    EXPECT_EQ(parse_status(encode(status)).value(), status);
    expect_whole_only(encode(status), parse_status);
}

TEST(ReplicaMessages, OfWhichCopyIsSaid) {
    Hello hello;
    hello.node = "node-a";
    hello.to = "node-b";
    EXPECT_EQ(parse_hello(encode(hello)).value(), hello);
    hello.to = "Node";
    EXPECT_FALSE(parse_hello(encode(hello)));
    CopyRequest request;
    request.volume = {1};
    request.node = "node-b";
    request.name = "disk";
    EXPECT_EQ(parse_copy_request(encode(request)).value(), request);
    for (auto* text : {&request.node, &request.name}) {
        auto kept = std::exchange(*text, "No name");
        EXPECT_EQ(parse_copy_request(encode(request)).error().kind(), Kind::corrupt);
        *text = "";
        EXPECT_EQ(parse_copy_request(encode(request)).error().kind(), Kind::corrupt);
        *text = std::move(kept);
    }
    request.volume = {};
    EXPECT_EQ(parse_copy_request(encode(request)).error().kind(), Kind::corrupt);
    EXPECT_EQ(parse_copy_request({}).error().kind(), Kind::corrupt);
}

TEST(ReplicaMessages, ANodeHasAName) {
    for (const auto* name : {"", "Node", "a b", "a/b"}) {
        Hello hello;
        hello.node = name;
        EXPECT_FALSE(parse_hello(encode(hello))) << name;
    }
    EXPECT_TRUE(check_node_name(std::string(63, 'a')));
    EXPECT_FALSE(check_node_name(std::string(64, 'a')));
}

TEST(ReplicaMessages, AVersionMustBeCommon) {
    Hello hello;
    hello.oldest_version = 2;
    hello.newest_version = 3;
    EXPECT_EQ(check_version(hello.oldest_version, hello.newest_version).error().kind(),
              Kind::unsupported);
    hello.oldest_version = 1;
    EXPECT_TRUE(check_version(hello.oldest_version, hello.newest_version));
}

TEST(ReplicaMessages, RangesThatAreNotSoundAreRefused) {
    const auto refused = [](std::vector<Range> ranges) {
        auto sealed = some_sealed();
        sealed.marked = std::move(ranges);
        return !parse_sealed(encode(sealed));
    };
    EXPECT_TRUE(refused({{0, 0}}));
    EXPECT_TRUE(refused({{100, 4096}}));
    EXPECT_TRUE(refused({{0, 8192}, {4096, 4096}}));
    EXPECT_TRUE(refused({{16 << 20, 4096}}));
    EXPECT_TRUE(refused({{4096, ~std::uint64_t{4095}}}));
    EXPECT_FALSE(refused({}));
}

TEST(ReplicaMessages, MoreRangesThanFitBecomeFewerThatCoverThem) {
    auto sealed = some_sealed();
    sealed.size = std::uint64_t{1} << 40;
    sealed.marked.clear();
    for (std::uint64_t number = 0; number < 100'000; ++number)
        sealed.marked.push_back({number * 3 << 20, 1 << 20});
    const auto told = parse_sealed(encode(sealed)).value();
    EXPECT_LE(told.marked.size(), 32768u);
    std::size_t place = 0;
    for (const auto& range : sealed.marked) {
        while (told.marked[place].offset + told.marked[place].length <= range.offset) ++place;
        ASSERT_LE(told.marked[place].offset, range.offset);
        ASSERT_GE(told.marked[place].offset + told.marked[place].length,
                  range.offset + range.length);
    }
}

TEST(ReplicaMessages, ANumberOfRangesThatDoesNotFitTakesNothing) {
    auto bytes = encode(some_sealed());
    store(std::span{bytes}.subspan(32), std::uint32_t{0xffffffff});
    EXPECT_EQ(parse_sealed(bytes).error().kind(), Kind::corrupt);
}

}  // namespace
}  // namespace sheaf::replica
