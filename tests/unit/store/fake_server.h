#pragma once

// Why: what a client does with a server that answers anything is seen with one that does.

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "io/loop.h"
#include "io/task_group.h"

namespace sheaf::test {

// Reads a request, gives its answer and closes.
class FakeServer {
  public:
    explicit FakeServer(io::Loop& loop)
        : loop_(loop), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(address);
        auto* generic = std::bit_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(listener_.get(), generic, length), 0);
        EXPECT_EQ(::getsockname(listener_.get(), generic, &length), 0);
        EXPECT_EQ(::listen(listener_.get(), 8), 0);
        port_ = ntohs(address.sin_port);
    }

    std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
    void set_answer(std::string answer) { answer_ = std::move(answer); }
    // Does not close after it any more.
    void hold() { holds_ = true; }
    std::size_t requests() const { return requests_; }

    io::Task<void> serve() {
        while (true) {
            auto connection = co_await loop_.accept(listener_.get());
            // Whoever goes away in the middle is no failure of the server.
            static_cast<void>(co_await answer_one(connection).result());
            if (holds_) held_.push_back(std::move(connection));
        }
    }

  private:
    io::Task<void> answer_one(const Fd& connection) {
        std::string request;
        std::array<std::byte, 4096> buffer;
        while (!is_whole(request)) {
            const auto count = co_await loop_.recv(connection.get(), buffer, 0);
            if (count == 0) co_return;
            request += as_text(std::span{buffer}.first(count));
        }
        ++requests_;
        for (auto rest = as_bytes(answer_); !rest.empty();)
            rest = rest.subspan(co_await loop_.send(connection.get(), rest, MSG_NOSIGNAL));
    }

    static bool is_whole(const std::string& request) {
        const auto head = request.find("\r\n\r\n");
        const auto length = request.find("Content-Length: ");
        if (head == request.npos || length == request.npos) return false;
        return request.size() >= head + 4 + std::stoul(request.substr(length + 16));
    }

    io::Loop& loop_;
    Fd listener_;
    int port_ = 0;
    std::string answer_;
    bool holds_ = false;
    std::vector<Fd> held_;
    std::size_t requests_ = 0;
};

}  // namespace sheaf::test
