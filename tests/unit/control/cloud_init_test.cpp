#include "control/cloud_init.h"

#include <filesystem>
#include <fstream>

#include <fmt/core.h>

#include "unit/control/world.h"

namespace sheaf::control {
namespace {

constexpr WallClock::TimePoint written{std::chrono::seconds{1'800'000'000}};

class CloudInitTest : public ControlWorld {
  protected:
    Result<CloudInit> read_source(std::string_view source) {
        return io::run(*loop_, read_cloud_init(client_, "default", Json::parse(source).value()));
    }
};

TEST_F(CloudInitTest, TextsAreTakenAsTheyAreOrAsBase64) {
    const auto plain = read_source(R"({"userData":"#cloud-config\n","networkData":"v: 2"})");
    ASSERT_TRUE(plain) << plain.error().text();
    EXPECT_EQ(plain->user_data, "#cloud-config\n");
    EXPECT_EQ(plain->network_data, "v: 2");
    const auto coded = read_source(R"({"userDataBase64":"YWI=","networkDataBase64":"Yw=="})");
    ASSERT_TRUE(coded);
    EXPECT_EQ(coded->user_data, "ab");
    EXPECT_EQ(coded->network_data, "c");
    const auto none = read_source("{}");
    ASSERT_TRUE(none);
    EXPECT_EQ(none->user_data, "");
}

TEST_F(CloudInitTest, SecretsAreRead) {
    create(api::secret_kind, R"({"metadata":{"name":"s","namespace":"default"},
                                 "stringData":{"userdata":"u","networkdata":"n"}})");
    const auto found =
        read_source(R"({"secretRef":{"name":"s"},"networkDataSecretRef":{"name":"s"}})");
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ(found->user_data, "u");
    EXPECT_EQ(found->network_data, "n");
}

TEST_F(CloudInitTest, WhatIsMissingOrSaidTwiceIsNamed) {
    EXPECT_EQ(read_source(R"({"secretRef":{"name":"none"}})").error().text(),
              "cloudInitNoCloud: secret none does not exist");
    create(api::secret_kind, R"({"metadata":{"name":"s","namespace":"default"},"data":{}})");
    EXPECT_EQ(read_source(R"({"secretRef":{"name":"s"}})").error().text(),
              "cloudInitNoCloud: secret s: has no userdata");
    EXPECT_EQ(read_source(R"({"userData":"a","userDataBase64":"Yg=="})").error().kind(),
              Kind::invalid);
    EXPECT_EQ(read_source(R"({"userDataBase64":"?"})").error().kind(), Kind::invalid);
}

// What others make of it.
TEST_F(CloudInitTest, AnotherReaderFindsWhatWasWritten) {
    const CloudInit wanted{
        "uid", "web", {"ssh-ed25519 AAAA me"}, "#cloud-config\n", "version: 2\n"};
    const auto seed = make_seed(wanted, written).value();
    auto folder = std::string{"/tmp/sheaf-seed-XXXXXX"};
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const auto path = folder + "/seed.iso";
    std::ofstream{path, std::ios::binary} << seed;
    const auto read = [&](std::string_view name) {
        const auto out = fmt::format("{}/{}", folder, name);
        const auto command = fmt::format(
            "xorriso -osirrox on -indev {} -extract /{} {} >{}/log 2>&1", path, name, out, folder);
        EXPECT_EQ(std::system(command.c_str()), 0);
        std::ifstream file{out, std::ios::binary};
        return std::string{std::istreambuf_iterator<char>{file}, {}};
    };
    const bool reader = std::system("which xorriso >/dev/null 2>&1") == 0;
    if (reader) {
        EXPECT_EQ(read("user-data"), wanted.user_data);
        EXPECT_EQ(read("network-config"), wanted.network_data);
        EXPECT_EQ(read("meta-data"),
                  "{\"instance-id\":\"uid\",\"local-hostname\":\"web\","
                  "\"public-keys\":[\"ssh-ed25519 AAAA me\"]}\n");
    }
    // As guests look for it.
    const auto label = fmt::format("/sbin/blkid -p -o value -s LABEL {} | grep -qx cidata", path);
    if (std::filesystem::exists("/sbin/blkid")) EXPECT_EQ(std::system(label.c_str()), 0);
    std::filesystem::remove_all(folder);
    if (!reader) GTEST_SKIP() << "needs xorriso (Debian's)";
}

}  // namespace
}  // namespace sheaf::control
