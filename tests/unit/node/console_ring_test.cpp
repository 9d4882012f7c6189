#include "node/console_ring.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::node {
namespace {

TEST(ConsoleRing, KeepsTheNewestBytes) {
    auto ring = ConsoleRing{10};
    for (int i = 0; i < 1000; ++i) ring.append(as_bytes("0123456789abc\n"));
    EXPECT_EQ(ring.text(), "456789abc\n");
}

TEST(ConsoleRing, LastLinesAreWhole) {
    auto ring = ConsoleRing{1000};
    ring.append(as_bytes("one\ntwo\nthree\nfour\n"));
    EXPECT_EQ(ring.last_lines(2), "three\nfour\n");
    EXPECT_EQ(ring.last_lines(1), "four\n");
    EXPECT_EQ(ring.last_lines(9), "one\ntwo\nthree\nfour\n");
    ring.append(as_bytes("unfinished"));
    EXPECT_EQ(ring.last_lines(1), "unfinished");
    EXPECT_EQ(ConsoleRing{10}.last_lines(3), "");
}

TEST(ConsoleRing, ATailIsOfBytesAndOfLinesInThem) {
    constexpr std::string_view text = "one\ntwo\nthree";
    EXPECT_EQ(ConsoleRing::tail_of(text, {.bytes = 100}), text);
    EXPECT_EQ(ConsoleRing::tail_of(text, {.bytes = 7}), "o\nthree");
    EXPECT_EQ(ConsoleRing::tail_of(text, {.bytes = 100, .lines = 2}), "two\nthree");
    EXPECT_EQ(ConsoleRing::tail_of(text, {.bytes = 7, .lines = 9}), "o\nthree");
    EXPECT_EQ(ConsoleRing::tail_of(text, {.bytes = 100, .lines = 0}), "");
    EXPECT_EQ(ConsoleRing::tail_of("", {.bytes = 100, .lines = 1}), "");
}

}  // namespace
}  // namespace sheaf::node
