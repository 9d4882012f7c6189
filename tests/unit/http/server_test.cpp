// Many clients at one listening socket, simulated and of the kernel.

#include "http/server.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/defer.h"
#include "http/client_connection.h"
#include "io/event.h"
#include "io/make_loop.h"
#include "io/tls_certificate.h"

namespace sheaf::http {
namespace {

// Answers with who is there; "/wait" when it is told to, "/stream" not before it is cancelled.
class Greeter final : public Handler {
  public:
    explicit Greeter(io::Loop& loop) : loop_(loop) {}
    io::Task<void> handle(Exchange& exchange) override {
        if (exchange.request().target == "/stream") {
            std::vector<Header> none;
            co_await exchange.begin_stream(200, std::move(none));
            asked_.set();
            co_await loop_.sleep(std::chrono::hours{1});
        }
        if (exchange.request().target == "/wait") {
            asked_.set();
            co_await go_on_.wait();
        }
        Reply reply;
        const auto& peer = exchange.peer();
        reply.body = peer.certified
                         ? peer.certified->name + " of " + peer.certified->organizations.at(0)
                     : peer.credentials ? fmt::format("user {}", peer.credentials->user)
                                        : "nobody";
        co_await exchange.reply(std::move(reply));
    }
    io::Event& asked() { return asked_; }
    io::Event& go_on() { return go_on_; }

  private:
    io::Loop& loop_;
    io::Event asked_;
    io::Event go_on_;
};

class HttpServers : public testing::Test {
  protected:
    void SetUp() override {
        path_ = fmt::format("/tmp/sheaf-http-test-{}", ::getpid());
        address_.sun_family = AF_UNIX;
        std::memcpy(address_.sun_path, path_.data(), path_.size());
        listener_ = Fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        ASSERT_EQ(::bind(listener_.get(), address(), sizeof(address_)), 0);
        ASSERT_EQ(::listen(listener_.get(), 128), 0);
    }
    void TearDown() override { ::unlink(path_.c_str()); }
    const sockaddr* address() const { return std::bit_cast<const sockaddr*>(&address_); }

    Fd connect() const {
        Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        EXPECT_EQ(::connect(socket.get(), address(), sizeof(address_)), 0);
        return socket;
    }
    ClientConnection client() {
        return {std::make_unique<io::SocketStream>(*loop_, connect()), "sheaf"};
    }
    // Runs the conversation, then stops the server, which has to end by itself.
    void run(io::Task<void> conversation) {
        const auto done = io::run(*loop_, serve(std::move(conversation)));
        EXPECT_TRUE(done) << done.error().text();
        EXPECT_EQ(server_.serving(), 0u);
    }

  private:
    io::Task<void> serve(io::Task<void> conversation) {
        io::TaskGroup serving;
        serving.start(server_.serve(listener_.get()));
        auto talked = co_await std::move(conversation).result();
        server_.stop();
        co_await serving.join();
        co_await std::move(talked);
    }

  protected:
    std::string path_;
    sockaddr_un address_{};
    Fd listener_;
    std::unique_ptr<io::Loop> loop_ = io::make_loop().value();
    HostClock clock_;
    Logger logger_{STDERR_FILENO, LogLevel::error};
    Greeter greeter_{*loop_};
    Server server_{*loop_, greeter_, clock_, logger_, {.connections = 3, .connection = {}}};
};

// Who asks over TLS is who its certificate says; who does not speak it is alone with that.
class HttpsServers : public HttpServers {
  protected:
    void SetUp() override {
        HttpServers::SetUp();
        auto path = std::string{"/tmp/sheaf-https-XXXXXX"};
        ASSERT_NE(::mkdtemp(path.data()), nullptr);
        folder_ = path;
        authority_ = make(io::TlsUse::authority, "authority", nullptr);
        const auto server = make(io::TlsUse::server, "server", &authority_);
        const auto ann = make(io::TlsUse::client, "ann", &authority_);
        write("server.pem", server);
        write("ann.pem", ann);
        std::ofstream{folder_ + "/authority.crt"} << authority_.certificate;
        tls_.emplace(context(io::TlsRole::server, "server.pem"));
        server_.secure_by(*tls_);
    }
    void TearDown() override {
        HttpServers::TearDown();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    io::TlsContext context(io::TlsRole role, const std::string& identity) const {
        const auto path = identity.empty() ? identity : folder_ + "/" + identity;
        return io::TlsContext::create(role, {path, path, folder_ + "/authority.crt"},
                                      io::TlsPeers::any)
            .value();
    }

  private:
    static io::TlsIdentity make(io::TlsUse use, std::string name,
                                const io::TlsIdentity* authority) {
        io::CertificateWish wish;
        wish.use = use;
        wish.common_name = std::move(name);
        if (use == io::TlsUse::client) wish.organizations = {"builders"};
        if (use == io::TlsUse::server) wish.hosts = {"localhost"};
        const auto now = std::chrono::system_clock::now();
        wish.from = std::chrono::floor<std::chrono::seconds>(now) - std::chrono::hours{1};
        wish.until = wish.from + std::chrono::hours{24};
        return io::make_identity(wish, authority).value();
    }
    void write(const std::string& name, const io::TlsIdentity& identity) const {
        std::ofstream{folder_ + "/" + name} << identity.certificate << identity.key;
    }
    std::string folder_;
    io::TlsIdentity authority_;
    std::optional<io::TlsContext> tls_;
};

Request get(std::string target) {
    return {.method = "GET", .target = std::move(target), .headers = {}, .body = {}};
}

io::Task<void> greet(ClientConnection client) {
    for (int round = 0; round < 3; ++round) {
        const auto response = co_await client.ask(get("/"), 1000);
        EXPECT_EQ(response.status, 200u);
        EXPECT_EQ(response.body, fmt::format("user {}", ::getuid()));
        EXPECT_TRUE(client.is_free());
    }
}

TEST_F(HttpServers, KnowTheirPeersAndKeepConnections) {
    run(greet(client()));
}

io::Task<void> overfill(ClientConnection one, ClientConnection two, ClientConnection three,
                        ClientConnection four) {
    for (auto* client : {&one, &two, &three})
        EXPECT_EQ((co_await client->ask(get("/"), 1000)).status, 200u);
    EXPECT_EQ((co_await four.ask(get("/"), 1000)).status, 503u);
    for (auto* client : {&one, &two, &three})
        EXPECT_EQ((co_await client->ask(get("/"), 1000)).status, 200u);
}

TEST_F(HttpServers, OneTooManyIsTurnedAwayAloneAndTold) {
    run(overfill(client(), client(), client(), client()));
}

io::Task<void> stay(ClientConnection idle, ClientConnection streaming, io::Event& asked) {
    EXPECT_EQ((co_await idle.ask(get("/"), 1000)).status, 200u);
    EXPECT_EQ(co_await streaming.begin(get("/stream")), 200u);
    co_await asked.wait();
}

TEST_F(HttpServers, IdleClientsAndStreamsDoNotHoldUpTheEnd) {
    run(stay(client(), client(), greeter_.asked()));
}

io::Task<std::string> ask_by(io::Loop& loop, const io::TlsContext& context, Fd socket) {
    auto plain = std::make_unique<io::SocketStream>(loop, std::move(socket));
    auto stream = co_await io::TlsStream::open(context, std::move(plain), "localhost");
    ClientConnection client{std::move(stream), "sheaf"};
    for (int round = 0; round < 2; ++round)
        EXPECT_EQ((co_await client.ask(get("/"), 1000)).status, 200u);
    co_return (co_await client.ask(get("/"), 1000)).body;
}

// A client that says nothing is there all the while: three are served at once.
io::Task<void> meet(io::Loop& loop, const io::TlsContext& ann, const io::TlsContext& nobody,
                    const std::function<Fd()>& connect) {
    const auto silent = connect();
    EXPECT_EQ(co_await ask_by(loop, ann, connect()), "ann of builders");
    // Without a certificate there is what the kernel says of a unix socket.
    const auto unknown = co_await ask_by(loop, nobody, connect());
    EXPECT_EQ(unknown, fmt::format("user {}", ::getuid()));
    io::SocketStream plain{loop, connect()};
    co_await plain.send(as_bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    std::array<std::byte, 1000> buffer{};
    std::string heard;
    while (const auto count = co_await plain.receive(buffer))
        heard += as_text(std::span{buffer}.first(count));
    EXPECT_EQ(heard.find("HTTP"), std::string::npos);
}

TEST_F(HttpsServers, KnowTheirPeersByTheirCertificates) {
    const auto ann = context(io::TlsRole::client, "ann.pem");
    const auto nobody = context(io::TlsRole::client, "");
    const std::function<Fd()> dial = [this] { return connect(); };
    run(meet(*loop_, ann, nobody, dial));
}

}  // namespace
}  // namespace sheaf::http
