#pragma once

// Why: where the server of a node's copies is reached is one word, on command lines and in the
// store; and whether that way can be trusted without a certificate is decided by it.

#include <string>

#include "io/dial.h"

namespace sheaf::replica {

// HOST:PORT, [IPv6]:PORT or unix:PATH.
struct Address {
    io::HostPort port;  // of TCP
    std::string path;   // of a unix socket; empty: it is TCP

    bool is_unix() const { return !path.empty(); }
    // Whether nobody outside this host can be at the other end.
    bool is_local() const;
    std::string text() const;
};

// Any thread. Fails with invalid, naming the word.
Result<Address> parse_address(std::string_view text);

}  // namespace sheaf::replica
