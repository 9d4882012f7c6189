#include "api/access.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "api/small_file.h"

namespace sheaf::api {
namespace {

class AccessFiles : public testing::Test {
  protected:
    void SetUp() override {
        auto path = std::string{"/tmp/sheaf-access-XXXXXX"};
        ASSERT_NE(::mkdtemp(path.data()), nullptr);
        folder_ = path;
    }
    void TearDown() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    std::string file() const { return folder_ + "/access.json"; }
    void write(std::string_view text, mode_t mode = 0600) const {
        ASSERT_TRUE(write_small_file(file(), text, mode));
    }
    Access access() const { return {{::geteuid(), 4001, 4002}, file(), logger_}; }

  private:
    std::string folder_;
    Logger logger_{-1, LogLevel::error};
};

http::Peer local(uid_t user, gid_t group, std::vector<gid_t> groups = {}) {
    return {http::PeerCredentials{user, group, 1, std::move(groups)}, {}};
}

TEST_F(AccessFiles, TheHostsGroupsSayWhoComesByTheSocket) {
    auto access = this->access();
    EXPECT_TRUE(access.is_master(*access.user_of(local(0, 0), {})));
    EXPECT_TRUE(access.is_master(*access.user_of(local(::geteuid(), 77), {})));
    EXPECT_TRUE(access.is_master(*access.user_of(local(1234, 5, {6, 4001}), {})));
    const auto reader = access.user_of(local(1234, 4002), {});
    ASSERT_TRUE(reader);
    EXPECT_FALSE(access.is_master(*reader));
    EXPECT_TRUE(access.allows(*reader, {.verb = "list", .group = {}, .resource = "nodes"}));
    EXPECT_FALSE(access.allows(*reader, {.verb = "create", .group = {}, .resource = "nodes"}));
    EXPECT_FALSE(access.user_of(local(1234, 5), "Bearer whatever"));
    EXPECT_FALSE(access.knows(http::PeerCredentials{1234, 5, 1, {7}}));
}

TEST_F(AccessFiles, ACertificateComesBeforeAToken) {
    auto access = this->access();
    const http::Peer peer{{}, io::TlsSubject{"ann", {"system:masters"}}};
    EXPECT_EQ(access.user_of(peer, "Bearer x")->name, "ann");
    EXPECT_FALSE(access.user_of({}, {}));
    EXPECT_FALSE(access.user_of({}, "Basic eDp5"));
}

TEST_F(AccessFiles, WhatIsWrittenCountsFromThenOnAndWhatIsWrongDoesNot) {
    auto access = this->access();
    ASSERT_TRUE(access.load());
    const User eve{"eve", {}};
    const Deed look{.verb = "list", .group = {}, .resource = "nodes"};
    EXPECT_FALSE(access.allows(eve, look));
    write(R"({"bindings":[{"role":"viewer","users":["eve"]}]})");
    EXPECT_TRUE(access.allows(eve, look));
    write("{");
    EXPECT_TRUE(access.allows(eve, look));
    EXPECT_FALSE(access.load());
    std::filesystem::remove(file());
    EXPECT_FALSE(access.allows(eve, look));
}

TEST_F(AccessFiles, AFileThatOthersCouldWriteIsRefused) {
    auto access = this->access();
    write(R"({"bindings":[{"role":"admin","users":["eve"]}]})", 0666);
    const auto loaded = access.load();
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().kind(), Kind::denied);
    EXPECT_FALSE(access.is_master({"eve", {}}));
}

}  // namespace
}  // namespace sheaf::api
