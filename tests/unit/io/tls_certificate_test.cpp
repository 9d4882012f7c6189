#include "io/tls_certificate.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "io/sim_loop.h"
#include "io/task_group.h"
#include "io/tls_stream.h"

namespace sheaf::io {
namespace {

using std::chrono::days;

CertificateWish wish(TlsUse use, std::string name) {
    CertificateWish made;
    made.use = use;
    made.common_name = std::move(name);
    made.from =
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) - days{1};
    made.until = made.from + days{30};
    return made;
}

// An authority, a server and clients, as files.
class Identities : public testing::Test {
  protected:
    void SetUp() override {
        auto path = std::string{"/tmp/sheaf-identities-XXXXXX"};
        ASSERT_NE(::mkdtemp(path.data()), nullptr);
        folder_ = path;
        authority_ = make_identity(wish(TlsUse::authority, "an authority"), nullptr).value();
        std::ofstream{folder_ + "/authority.crt"} << authority_.certificate;
    }
    void TearDown() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    TlsFiles keep(const CertificateWish& wish) const {
        const auto made = make_identity(wish, &authority_).value();
        const auto path = folder_ + "/" + wish.common_name.substr(0, 10);
        std::ofstream{path} << made.certificate << made.key;
        return {path, path, folder_ + "/authority.crt"};
    }
    TlsFiles server() const {
        auto wanted = wish(TlsUse::server, "server");
        wanted.hosts = {"localhost", "127.0.0.1", "::1"};
        return keep(wanted);
    }
    const TlsIdentity& authority() const { return authority_; }
    SimLoop& loop() { return *loop_; }

  private:
    std::string folder_;
    TlsIdentity authority_;
    std::unique_ptr<SimLoop> loop_ = SimLoop::create(3).value();
};

Task<void> meet(const TlsContext& context, std::unique_ptr<ByteStream> below,
                std::optional<TlsSubject>& met) {
    const auto stream = co_await TlsStream::open(context, std::move(below), "a client");
    met = stream->peer_subject();
    co_await stream->send(as_bytes("x"));
}

// Whom the server sees, where both believe each other.
Task<std::optional<TlsSubject>> introduce(SimLoop& loop, const TlsContext& server,
                                          const TlsContext& client, std::string host) {
    auto ends = co_await loop.network().connection();
    std::optional<TlsSubject> met;
    TaskGroup group;
    group.start(meet(server, std::make_unique<SocketStream>(loop, std::move(ends.second)), met));
    std::unique_ptr<ByteStream> below = std::make_unique<SocketStream>(loop, std::move(ends.first));
    const auto opened =
        co_await TlsStream::open(client, std::move(below), std::move(host)).result();
    std::array<std::byte, 1> one{};
    auto heard = Result<std::size_t>{std::size_t{0}};
    if (opened) heard = co_await (*opened)->receive(one).result();
    group.cancel();
    static_cast<void>(co_await group.join().result());  // it has failed as this side has
    if (!opened) co_await Failure{Error{opened.error()}};
    co_await heard;
    co_return met;
}

TEST_F(Identities, AreBelievedByTheirNames) {
    auto of_client = wish(TlsUse::client, "ann");
    of_client.organizations = {"one", "tw\xc3\xb6, or more"};
    const auto server_context =
        TlsContext::create(TlsRole::server, server(), TlsPeers::any).value();
    const auto client_context = TlsContext::create(TlsRole::client, keep(of_client)).value();
    for (const auto* host : {"localhost", "127.0.0.1", "::1"}) {
        const auto met = run(loop(), introduce(loop(), server_context, client_context, host));
        ASSERT_TRUE(met) << met.error().text();
        ASSERT_TRUE(*met);
        EXPECT_EQ((*met)->name, "ann");
        EXPECT_EQ((*met)->organizations, of_client.organizations);
    }
    EXPECT_FALSE(run(loop(), introduce(loop(), server_context, client_context, "example.org")));
}

TEST_F(Identities, WhoHasNoneIsSpokenWithWhereThatIsWanted) {
    auto files = server();
    files.certificate.clear();
    const auto nobody = TlsContext::create(TlsRole::client, files).value();
    const auto open = TlsContext::create(TlsRole::server, server(), TlsPeers::any).value();
    const auto met = run(loop(), introduce(loop(), open, nobody, "localhost"));
    ASSERT_TRUE(met) << met.error().text();
    EXPECT_FALSE(*met);
    const auto closed = TlsContext::create(TlsRole::server, server()).value();
    EXPECT_FALSE(run(loop(), introduce(loop(), closed, nobody, "localhost")));
}

TEST_F(Identities, AServersIsNoneOfAClient) {
    const auto open = TlsContext::create(TlsRole::server, server(), TlsPeers::any).value();
    const auto impostor = TlsContext::create(TlsRole::client, server()).value();
    EXPECT_FALSE(run(loop(), introduce(loop(), open, impostor, "localhost")));
}

TEST_F(Identities, SayHowLongAndForWhomTheyAre) {
    auto wanted = wish(TlsUse::server, "server");
    wanted.hosts = {"localhost", "10.0.0.1"};
    const auto made = make_identity(wanted, &authority()).value();
    EXPECT_EQ(end_of_certificate(made.certificate).value(), wanted.until);
    EXPECT_TRUE(covers_hosts(made.certificate, {"localhost", "10.0.0.1"}).value());
    EXPECT_FALSE(covers_hosts(made.certificate, {"localhost", "10.0.0.2"}).value());
    EXPECT_TRUE(is_signed_by(made.certificate, authority().certificate).value());
    const auto other = make_identity(wish(TlsUse::authority, "an authority"), nullptr).value();
    EXPECT_FALSE(is_signed_by(made.certificate, other.certificate).value());
}

TEST_F(Identities, WhatCannotBeCertifiedIsRefused) {
    auto wanted = wish(TlsUse::server, "server");
    wanted.hosts = {"a,DNS:evil.example"};
    EXPECT_EQ(make_identity(wanted, &authority()).error().kind(), Kind::invalid);
    EXPECT_FALSE(make_identity(wish(TlsUse::client, std::string(65, 'x')), &authority()));
    EXPECT_FALSE(end_of_certificate("garbage"));
    const TlsIdentity garbage{"garbage", "garbage"};
    EXPECT_FALSE(make_identity(wish(TlsUse::client, "a"), &garbage));
}

}  // namespace
}  // namespace sheaf::io
