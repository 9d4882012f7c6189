// Both ends of TLS over a simulated connection that cuts what is sent into pieces.

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "io/sim_loop.h"
#include "io/time_limit.h"
#include "io/tls_stream.h"
#include "support/etcd_cluster.h"

namespace sheaf::io {
namespace {

using Stream = std::unique_ptr<ByteStream>;

// One folder of certificates for all tests: each takes a while to make.
class Tls : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        auto path = std::string{"/tmp/sheaf-tls-XXXXXX"};
        ASSERT_NE(::mkdtemp(path.data()), nullptr);
        std::filesystem::create_directory(path + "/others");
        folder_ = path;
        certificates_ = std::make_unique<test::Certificates>(path);
        others_ = std::make_unique<test::Certificates>(path + "/others");
        server_ = certificates_->make("server");
        client_ = certificates_->make("client");
        impostor_ = others_->make("impostor");
    }
    static void TearDownTestSuite() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    void SetUp() override { loop_->network().set_faults({.short_transfer = 0.3}); }

    SimLoop& loop() { return *loop_; }
    static const TlsFiles& server() { return server_; }
    static const TlsFiles& client() { return client_; }
    static const TlsFiles& impostor() { return impostor_; }
    static std::string path(const char* name) { return folder_ + "/" + name; }

    static TlsContext context(TlsRole role, const TlsFiles& files) {
        return TlsContext::create(role, files).value();
    }

  private:
    static inline std::string folder_;
    static inline std::unique_ptr<test::Certificates> certificates_;
    static inline std::unique_ptr<test::Certificates> others_;
    static inline TlsFiles server_, client_, impostor_;
    std::unique_ptr<SimLoop> loop_ = SimLoop::create(3).value();
};

Task<void> send_all(ByteStream& stream, std::string_view text) {
    co_await stream.send(as_bytes(text));
}

Task<std::string> receive_all(ByteStream& stream, std::size_t count) {
    std::string received;
    std::array<std::byte, 5000> buffer;
    while (received.size() < count) {
        const auto more = co_await stream.receive(buffer);
        if (more == 0) break;
        received += as_text(std::span{buffer}.first(more));
    }
    co_return received;
}

Task<void> echo(const TlsContext& context, Stream below, std::size_t count) {
    const auto stream = co_await TlsStream::open(context, std::move(below), "a client");
    EXPECT_TRUE(stream->peer_is("localhost"));
    EXPECT_FALSE(stream->peer_is("node-b"));
    const auto received = co_await receive_all(*stream, count);
    co_await stream->send(as_bytes(received));
}

Task<std::string> converse(SimLoop& loop, const TlsContext& server, const TlsContext& client,
                           std::string peer, std::string said) {
    auto ends = co_await loop.network().connection();
    TaskGroup group;
    group.start(
        echo(server, std::make_unique<SocketStream>(loop, std::move(ends.second)), said.size()));
    Stream below = std::make_unique<SocketStream>(loop, std::move(ends.first));
    auto opened = co_await TlsStream::open(client, std::move(below), std::move(peer)).result();
    if (!opened) {
        group.cancel();
        static_cast<void>(co_await group.join().result());  // it was refused as well
        co_return co_await Result<std::string>{Failure{opened.error()}};
    }
    auto stream = *std::move(opened);
    group.start(send_all(*stream, said));
    auto heard = co_await receive_all(*stream, said.size()).result();
    stream.reset();
    static_cast<void>(co_await group.join().result());
    co_return co_await std::move(heard);
}

TEST_F(Tls, WhatIsSentArrives) {
    std::string said;
    for (int i = 0; i < 200'000; ++i) said += static_cast<char>(i * 7);
    const auto heard = run(loop(), converse(loop(), context(TlsRole::server, server()),
                                            context(TlsRole::client, client()), "127.0.0.1", said));
    ASSERT_TRUE(heard) << heard.error().text();
    EXPECT_EQ(*heard, said);
    const auto by_name =
        run(loop(), converse(loop(), context(TlsRole::server, server()),
                             context(TlsRole::client, client()), "localhost", "x"));
    EXPECT_EQ(by_name.value(), "x");
}

TEST_F(Tls, WhoeverIsNotBelievedIsRefused) {
    const auto refused = [&](const TlsFiles& of_server, const TlsFiles& of_client,
                             const std::string& peer, const char* reason) {
        const auto heard = run(loop(), converse(loop(), context(TlsRole::server, of_server),
                                                context(TlsRole::client, of_client), peer, "x"));
        ASSERT_FALSE(heard) << reason;
        EXPECT_EQ(heard.error().kind(), Kind::denied) << heard.error().text();
        EXPECT_NE(heard.error().text().find(reason), std::string::npos) << heard.error().text();
        EXPECT_NE(heard.error().text().find(peer), std::string::npos) << heard.error().text();
    };
    auto of_others = client();
    of_others.authority = impostor().authority;
    refused(server(), of_others, "127.0.0.1", "its certificate: ");
    refused(server(), client(), "127.0.0.2", "IP address mismatch");
    refused(server(), client(), "example.org", "hostname mismatch");
    auto of_impostor = impostor();
    of_impostor.authority = client().authority;
    refused(server(), of_impostor, "127.0.0.1", "alert");
    auto of_nobody = client();
    of_nobody.certificate.clear();
    refused(server(), of_nobody, "127.0.0.1", "alert");
}

Task<void> send_late(SimLoop& loop, const TlsContext& server, const TlsContext& client) {
    auto ends = co_await loop.network().connection();
    TaskGroup group;
    group.start(echo(server, std::make_unique<SocketStream>(loop, std::move(ends.second)), 1));
    Stream below = std::make_unique<SocketStream>(loop, std::move(ends.first));
    auto opened = co_await TlsStream::open(client, std::move(below), "localhost").result();
    static_cast<void>(co_await group.join().result());  // it has refused, and is gone
    const auto stream = co_await std::move(opened);
    EXPECT_FALSE(co_await send_all(*stream, "x").result());
    co_await receive_all(*stream, 1);
}

TEST_F(Tls, ARefusalIsHeardByWhoSendsTooLate) {
    auto of_nobody = client();
    of_nobody.certificate.clear();
    const auto sent = run(loop(), send_late(loop(), context(TlsRole::server, server()),
                                            context(TlsRole::client, of_nobody)));
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().kind(), Kind::denied) << sent.error().text();
}

Task<std::string> hear_from(SimLoop& loop, const TlsContext& client, std::string said) {
    auto ends = co_await loop.network().connection();
    SocketStream server{loop, std::move(ends.second)};
    co_await send_all(server, said);
    Stream below = std::make_unique<SocketStream>(loop, std::move(ends.first));
    const auto stream = co_await within(loop, std::chrono::seconds{1},
                                        TlsStream::open(client, std::move(below), "127.0.0.1"));
    co_return co_await receive_all(*stream, 1);
}

TEST_F(Tls, WhatIsNotTlsIsRefused) {
    const auto client_context = context(TlsRole::client, client());
    const auto heard =
        run(loop(), hear_from(loop(), client_context, "HTTP/1.1 400 Bad Request\r\n\r\n"));
    ASSERT_FALSE(heard);
    EXPECT_EQ(heard.error().kind(), Kind::denied) << heard.error().text();
    const auto silent = run(loop(), hear_from(loop(), client_context, ""));
    EXPECT_EQ(silent.error().kind(), Kind::timed_out) << silent.error().text();
}

TEST_F(Tls, AFileThatDoesNotDoIsNamed) {
    const auto refused = [&](TlsFiles files, const std::string& named, Kind kind) {
        const auto made = TlsContext::create(TlsRole::client, files);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().kind(), kind) << made.error().text();
        EXPECT_NE(made.error().text().find(named), std::string::npos) << made.error().text();
    };
    auto files = client();
    files.certificate = path("missing");
    refused(files, files.certificate, Kind::not_found);
    files = client();
    files.key = server().key;
    refused(files, files.key, Kind::invalid);
    files = client();
    files.authority = path("garbage");
    std::ofstream{files.authority} << "garbage";
    refused(files, files.authority, Kind::invalid);
}

}  // namespace
}  // namespace sheaf::io
