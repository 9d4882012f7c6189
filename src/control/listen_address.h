#pragma once

// Why: where a daemon listens is written by a person, and is either an address or a mistake.

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "base/fd.h"

namespace sheaf::control {

// A value: copies.
struct ListenAddress {
    sockaddr_storage address{};
    socklen_t length = 0;
    std::string host;  // as text, without brackets
    std::uint16_t port = 0;
};

// "127.0.0.1:6444" or "[::1]:6444"; port 0 is any that is free. Fails with invalid.
Result<ListenAddress> parse_listen_address(std::string_view text);

// Fails with conflict where somebody listens there.
Result<Fd> listen_at(const ListenAddress& address, int backlog);
// Where a socket listens, as "127.0.0.1:6444".
Result<std::string> address_of(const Fd& listener);

}  // namespace sheaf::control
