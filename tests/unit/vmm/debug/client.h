#pragma once

// The debugger's end of a connection, which reads what was answered as far as it has come.

#include <sys/socket.h>

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "base/fd.h"
#include "support/turns.h"
#include "vmm/debug/packet.h"

namespace sheaf::vmm::debug {

class Client {
  public:
    Client(io::Loop& loop, Fd socket) : loop_(loop), socket_(std::move(socket)) {}

    void send(std::string_view text) {
        EXPECT_EQ(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
    }
    // Turns the loop until `count` bytes have come, or the other end has closed.
    std::string hear(std::size_t count) {
        auto text = std::string{};
        const auto enough = [&] {
            auto part = std::array<char, 4096>{};
            const auto got = ::recv(socket_.get(), part.data(),
                                    std::min(part.size(), count - text.size()), MSG_DONTWAIT);
            if (got > 0) text.append(part.data(), static_cast<std::size_t>(got));
            return text.size() == count || got == 0;
        };
        EXPECT_TRUE(test::run_until(loop_, enough)) << "heard only: " << text;
        return text;
    }
    // The payload of the packet that answers this one.
    std::string ask(std::string_view packet) {
        send(make_frame(packet));
        EXPECT_EQ(hear(1), "+");
        const auto answer = packet_heard();
        // Who has said goodbye does not hear it.
        static_cast<void>(::send(socket_.get(), "+", 1, MSG_NOSIGNAL));
        return answer;
    }
    std::string packet_heard() {
        EXPECT_EQ(hear(1), "$");
        auto text = std::string{};
        while (!text.ends_with('#')) {
            const auto letter = hear(1);
            if (letter.empty()) break;
            text += letter;
        }
        hear(2);
        if (!text.empty()) text.pop_back();
        return text;
    }
    bool hung_up() {
        return test::run_until(loop_, [&] {
            std::byte letter{};
            const auto got = ::recv(socket_.get(), &letter, 1, MSG_DONTWAIT);
            return got == 0 || (got < 0 && errno == ECONNRESET);
        });
    }
    void hang_up() { socket_.reset(); }

  private:
    io::Loop& loop_;
    Fd socket_;
};

}  // namespace sheaf::vmm::debug
