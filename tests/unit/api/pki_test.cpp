#include "api/pki.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "api/small_file.h"

namespace sheaf::api {
namespace {

class TurnedClock final : public WallClock {
  public:
    TimePoint now() const override { return now_; }
    void pass(std::chrono::days time) { now_ += time; }

  private:
    TimePoint now_{std::chrono::seconds{1'800'000'000}};
};

class Certificates : public testing::Test {
  protected:
    void SetUp() override {
        auto path = std::string{"/tmp/sheaf-pki-XXXXXX"};
        ASSERT_NE(::mkdtemp(path.data()), nullptr);
        folder_ = path;
        pki_.emplace(folder_);
    }
    void TearDown() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    const Pki& pki() const { return *pki_; }
    TurnedClock& clock() { return clock_; }
    Result<bool> renew(const std::vector<std::string>& hosts = {"localhost"}) {
        return pki_->renew(hosts, clock_);
    }
    std::string file(const char* name) const { return folder_ + "/pki/" + name; }
    std::string read(const char* name) const { return read_small_file(file(name)).value(); }

  private:
    std::string folder_;
    std::optional<Pki> pki_;
    TurnedClock clock_;
};

TEST_F(Certificates, AreMadeOnceAndAreSecret) {
    ASSERT_TRUE(renew().value());
    const auto before = read("authority.pem") + read("server.pem") + read("admin.pem");
    EXPECT_FALSE(renew().value());
    EXPECT_EQ(read("authority.pem") + read("server.pem") + read("admin.pem"), before);
    for (const auto* name : {"authority.pem", "server.pem", "admin.pem"}) {
        struct stat status{};
        ASSERT_EQ(::stat(file(name).c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777, 0600U) << name;
    }
    EXPECT_FALSE(pki().authority()->contains("PRIVATE"));
    EXPECT_TRUE(io::TlsContext::create(io::TlsRole::server, pki().of_server()));
}

TEST_F(Certificates, AreRenewedBeforeTheyEndAndTheAuthorityStays) {
    ASSERT_TRUE(renew());
    const auto authority = read("authority.pem");
    const auto server = read("server.pem");
    clock().pass(std::chrono::days{200});
    EXPECT_FALSE(renew().value());
    clock().pass(std::chrono::days{100});
    EXPECT_TRUE(renew().value());
    EXPECT_EQ(read("authority.pem"), authority);
    EXPECT_NE(read("server.pem"), server);
    clock().pass(std::chrono::days{9 * 365});
    EXPECT_TRUE(renew().value());
    EXPECT_NE(read("authority.pem"), authority);
    const auto admin = pki().administrator().value();
    EXPECT_TRUE(io::is_signed_by(admin.certificate, *pki().authority()).value());
}

TEST_F(Certificates, CoverTheHostsThatAreAskedFor) {
    ASSERT_TRUE(renew());
    EXPECT_TRUE(renew({"localhost", "192.0.2.7"}).value());
    EXPECT_TRUE(io::covers_hosts(read("server.pem"), {"192.0.2.7", "localhost"}).value());
    EXPECT_FALSE(io::covers_hosts(read("server.pem"), {"192.0.2.8"}).value());
    EXPECT_FALSE(renew({"localhost"}).value());
}

TEST_F(Certificates, OfAnotherAuthorityAreMadeAnew) {
    ASSERT_TRUE(renew());
    std::filesystem::remove(file("authority.pem"));
    EXPECT_TRUE(renew().value());
    EXPECT_TRUE(io::is_signed_by(read("server.pem"), *pki().authority()).value());
    EXPECT_TRUE(io::is_signed_by(read("admin.pem"), *pki().authority()).value());
}

TEST_F(Certificates, AFileThatIsDamagedIsNamedAndKept) {
    ASSERT_TRUE(renew());
    ASSERT_TRUE(write_small_file(file("authority.pem"), "garbage", 0600));
    const auto renewed = renew();
    ASSERT_FALSE(renewed);
    EXPECT_NE(renewed.error().text().find("authority.pem"), std::string::npos);
    EXPECT_EQ(read("authority.pem"), "garbage");
}

TEST_F(Certificates, AreMadeForOthersToo) {
    EXPECT_EQ(pki().make_client("eve", {}, clock()).error().kind(), Kind::not_found);
    ASSERT_TRUE(renew());
    const auto made = pki().make_client("eve", {"one", "two"}, clock());
    ASSERT_TRUE(made);
    EXPECT_TRUE(io::is_signed_by(made->certificate, *pki().authority()).value());
    EXPECT_FALSE(pki().make_client(std::string(200, 'x'), {}, clock()));
}

TEST(CertificateHosts, AreThoseByWhichAHostIsReached) {
    const auto hosts = hosts_of("192.0.2.7");
    for (const auto* host : {"localhost", "127.0.0.1", "::1", "192.0.2.7"})
        EXPECT_NE(std::ranges::find(hosts, host), hosts.end()) << host;
    const auto all = hosts_of("0.0.0.0");
    EXPECT_EQ(std::ranges::find(all, "0.0.0.0"), all.end());
}

}  // namespace
}  // namespace sheaf::api
