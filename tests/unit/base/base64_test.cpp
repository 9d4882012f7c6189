#include "base/base64.h"

#include <gtest/gtest.h>

namespace sheaf {
namespace {

// RFC 4648, section 10.
TEST(Base64, TheExamplesOfTheSpecification) {
    const std::pair<const char*, const char*> examples[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (const auto& [bytes, text] : examples) {
        EXPECT_EQ(to_base64(bytes), text);
        EXPECT_EQ(from_base64(text).value(), bytes);
    }
}

TEST(Base64, EveryByteComesBack) {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    for (std::size_t length = 0; length < 4; ++length) {
        const auto part = bytes.substr(length);
        EXPECT_EQ(from_base64(to_base64(part)).value(), part);
    }
}

TEST(Base64, WhatIsNotWholeIsRefused) {
    for (const auto* text :
         {"Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zm9 ", "Zm9v\n", "Zm-_"})
        EXPECT_EQ(from_base64(text).error().kind(), Kind::invalid) << text;
}

}  // namespace
}  // namespace sheaf
