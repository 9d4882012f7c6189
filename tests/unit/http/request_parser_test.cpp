#include "http/request_parser.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::http {
namespace {

// The status of the refusal; 0 where there was none.
unsigned refusal_of(const std::string& text) {
    RequestParser parser;
    const auto taken = parser.take(as_bytes(text));
    return taken ? 0 : taken.error().status;
}

TEST(RequestParsers, ARequestComesInAnyPieces) {
    const std::string text =
        "POST /apis?x=1 HTTP/1.1\r\nHost: sheaf\r\nX-Word: a b\r\n"
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;q=1\r\nde\r\n0\r\nT: x\r\n\r\nGET /next";
    const auto whole = text.size() - std::string_view{"GET /next"}.size();
    RequestParser parser;
    std::string waiting;
    for (std::size_t place = 0; place < text.size() && !parser.is_done(); ++place) {
        waiting += text[place];
        waiting.erase(0, parser.take(as_bytes(waiting)).value());
        EXPECT_EQ(parser.is_done(), place + 1 == whole) << place;
    }
    EXPECT_TRUE(parser.keeps_open());
    EXPECT_FALSE(parser.expects_continue());
    const auto request = parser.take_request();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/apis?x=1");
    EXPECT_EQ(request.body, "abcde");
    EXPECT_EQ(request.header("x-word"), "a b");
    EXPECT_EQ(request.header("none"), "");
}

TEST(RequestParsers, WhatFollowsARequestIsLeft) {
    const std::string one = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    RequestParser parser;
    EXPECT_EQ(parser.take(as_bytes(one + one)).value(), one.size());
    EXPECT_TRUE(parser.is_done());
}

TEST(RequestParsers, EveryBoundHasItsStatus) {
    EXPECT_EQ(refusal_of("GET /" + std::string(RequestParser::longest_target, 'x') +
                         " HTTP/1.1\r\nHost: a\r\n\r\n"),
              414u);
    EXPECT_EQ(refusal_of("GET /" + std::string(100'000, 'x')), 414u);
    EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100'000, 'x')), 431u);
    EXPECT_EQ(refusal_of("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1572865\r\n\r\n"), 413u);
    const std::string chunked = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(refusal_of(chunked + "200000\r\n" + std::string(0x200000, 'x')), 413u);
    EXPECT_NE(refusal_of(chunked + "1;" + std::string(100'000, 'x')), 0u);
}

TEST(RequestParsers, WhatIsAmbiguousIsRefused) {
    EXPECT_EQ(refusal_of("SSH-2.0-OpenSSH\r\n\r\n"), 400u);
    EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\n\r\n"), 400u);
    EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400u);
    EXPECT_EQ(refusal_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505u);
    EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n"), 417u);
    EXPECT_EQ(refusal_of("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
              501u);
    EXPECT_EQ(refusal_of("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n"),
              400u);
    EXPECT_EQ(refusal_of("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                         "Content-Length: 4\r\n\r\n"),
              400u);
    EXPECT_EQ(refusal_of("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\n"), 400u);
}

TEST(RequestParsers, OldClientsAreUnderstood) {
    RequestParser parser;
    ASSERT_TRUE(parser.take(as_bytes("GET /a HTTP/1.0\r\n\r\n")));
    ASSERT_TRUE(parser.is_done());
    EXPECT_FALSE(parser.keeps_open());
    EXPECT_TRUE(parser.take_request().is_http_1_0);
}

}  // namespace
}  // namespace sheaf::http
