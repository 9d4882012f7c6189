#pragma once

// Why: the API is asked as clients ask it, by HTTP, over a simulated connection and a simulated
// store: nothing waits, and every order of things can be had again.

#include <gtest/gtest.h>

#include "api/namespaces.h"
#include "api/service.h"
#include "base/bytes.h"
#include "http/client_connection.h"
#include "http/server_connection.h"
#include "io/sim_loop.h"
#include "io/time_limit.h"
#include "sim/sim_kv.h"

namespace sheaf::api {

class SetClock final : public WallClock {
  public:
    TimePoint now() const override { return now_; }
    void pass(std::chrono::seconds time) { now_ += time; }

  private:
    TimePoint now_{std::chrono::seconds{1'800'000'000}};
};

class ApiWorld : public testing::Test {
  protected:
    void SetUp() override {
        service_.emplace(Service::Parts{*loop_, objects_, access_, registry_, machines_});
        ASSERT_TRUE(io::run(*loop_, objects_.ensure_namespace("default")));
    }
    void TearDown() override { EXPECT_TRUE(io::run(*loop_, store_.shut_down())); }

    struct Said {
        unsigned status = 0;
        Json body;
        std::string text;
    };
    Said ask(std::string method, std::string target, std::string body = {},
             std::vector<http::Header> headers = {}) {
        http::Request request{std::move(method), std::move(target), std::move(headers),
                              std::move(body)};
        auto response = io::run(*loop_, converse(std::move(request)));
        EXPECT_TRUE(response) << response.error().text();
        if (!response) return {};
        auto parsed = Json::parse(response->body);
        return {response->status, parsed ? *std::move(parsed) : Json{}, response->body};
    }
    Said patch(std::string target, std::string type, std::string body) {
        std::vector<http::Header> headers;
        headers.push_back({"Content-Type", "application/" + type});
        return ask("PATCH", std::move(target), std::move(body), std::move(headers));
    }
    // All that a client hears which says these bytes and waits for the end of the connection.
    std::string talk(std::string said) {
        std::string heard;
        EXPECT_TRUE(io::run(*loop_, say_and_hear(std::move(said), heard)));
        return heard;
    }
    // The namespace sweeper, until there is nothing more that it can do.
    void sweep() { EXPECT_TRUE(io::run(*loop_, sweep_for(std::chrono::seconds{1}))); }

    io::Task<http::Response> converse(http::Request request) {
        auto ends = co_await loop_->network().connection();
        auto stream = std::make_unique<io::SocketStream>(*loop_, std::move(ends.second));
        http::ServerConnection::Surroundings around{*loop_, *service_, clock_, memory_};
        http::ServerConnection server{around, std::move(stream), peer_, {}};
        io::TaskGroup serving;
        serving.start(server.serve());
        auto response = co_await exchange(std::move(ends.first), std::move(request)).result();
        co_await serving.join();
        co_return co_await std::move(response);
    }
    io::Task<void> say_and_hear(std::string said, std::string& heard) {
        auto ends = co_await loop_->network().connection();
        auto stream = std::make_unique<io::SocketStream>(*loop_, std::move(ends.second));
        http::ServerConnection::Surroundings around{*loop_, *service_, clock_, memory_};
        http::ServerConnection server{around, std::move(stream), peer_, {}};
        io::TaskGroup serving;
        serving.start(server.serve());
        {
            io::SocketStream client{*loop_, std::move(ends.first)};
            co_await client.send(as_bytes(said));
            static_cast<void>(
                co_await io::within(*loop_, std::chrono::hours{1}, hear(client, heard)).result());
        }
        co_await serving.join();
    }
    static io::Task<void> hear(io::ByteStream& stream, std::string& heard) {
        std::array<std::byte, 4096> buffer{};
        while (const auto count = co_await stream.receive(buffer))
            heard += as_text(std::span{buffer}.first(count));
    }
    io::Task<http::Response> exchange(Fd socket, http::Request request) {
        http::ClientConnection client{std::make_unique<io::SocketStream>(*loop_, std::move(socket)),
                                      "sheaf"};
        co_return co_await client.ask(std::move(request), 64 << 20);
    }
    io::Task<void> sweep_for(io::Duration time) {
        io::TaskGroup sweeping;
        sweeping.start(sweeper_.run());
        co_await loop_->sleep(time);
        sweeping.cancel();
        co_await sweeping.join();
    }

    std::unique_ptr<io::SimLoop> loop_ = io::SimLoop::create(7).value();
    sim::SimStore store_{*loop_};
    sim::SimKv kv_{*loop_, store_, 1};
    SetClock clock_;
    std::uint64_t last_random_ = 0;
    Objects objects_{kv_, clock_, [this] { return last_random_ += 0x9e3779b97f4a7c15; }};
    Logger logger_{2, LogLevel::error};
    // Who asks: root, where a test says nothing else.
    http::Peer peer_{http::PeerCredentials{}, {}};
    Access access_{{}, {}, logger_};
    MetricsRegistry registry_;
    MachineActions* machines_ = nullptr;  // to be set before SetUp()
    http::MemoryBudget memory_{64 << 20};
    std::optional<Service> service_;
    NamespaceSweeper sweeper_{*loop_, objects_, logger_};
};

}  // namespace sheaf::api
