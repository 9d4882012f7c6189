#include "io/openssl.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

namespace sheaf::io {
namespace {

TEST(OpenSsl, IsTheHostsAndLoadedOnce) {
    ASSERT_TRUE(load_openssl());
    auto* const context = SSL_CTX_new(TLS_client_method());
    ASSERT_NE(context, nullptr);
    ASSERT_TRUE(load_openssl());
    EXPECT_EQ(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION), 1);
    SSL_CTX_free(context);
}

// Each in a process of its own, where nothing has been loaded.
[[noreturn]] void say_why_not(const char* library) {
    const auto loaded = load_openssl(library);
    std::fputs(loaded ? "loaded" : loaded.error().text().c_str(), stderr);
    std::exit(loaded ? 0 : 7);
}

TEST(OpenSslDeathTest, AHostWithoutItIsToldWhatIsMissing) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(say_why_not("libssl.so.0"), testing::ExitedWithCode(7),
                "TLS needs OpenSSL 3 \\(package libssl3\\).*libssl.so.0");
}

TEST(OpenSslDeathTest, ALibraryThatLacksAFunctionIsNamedWithIt) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(say_why_not("libc.so.6"), testing::ExitedWithCode(7), "libc.so.6: has no [A-Z]");
}

}  // namespace
}  // namespace sheaf::io
