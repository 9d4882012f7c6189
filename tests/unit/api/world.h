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
    void SetUp() override { ASSERT_TRUE(io::run(*loop_, objects_.ensure_namespace("default"))); }
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
    // The namespace sweeper, until there is nothing more that it can do.
    void sweep() { EXPECT_TRUE(io::run(*loop_, sweep_for(std::chrono::seconds{1}))); }

    io::Task<http::Response> converse(http::Request request) {
        auto ends = co_await loop_->network().connection();
        auto stream = std::make_unique<io::SocketStream>(*loop_, std::move(ends.second));
        http::ServerConnection server{*loop_, std::move(stream), {}, service_, clock_, {}};
        io::TaskGroup serving;
        serving.start(server.serve());
        auto response = co_await exchange(std::move(ends.first), std::move(request)).result();
        co_await serving.join();
        co_return co_await std::move(response);
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
    Service service_{*loop_, objects_, 0};
    Logger logger_{2, LogLevel::error};
    NamespaceSweeper sweeper_{*loop_, objects_, logger_};
};

}  // namespace sheaf::api
