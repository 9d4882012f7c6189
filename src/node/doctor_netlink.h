#pragma once

// Why: the doctor tries links and tables by asking the kernel for them. This is one request and its
// acknowledgement over netlink, no more.

#include <linux/netlink.h>

#include <span>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace sheaf::node {

// A request as bytes: header, family header, attributes, perhaps nested.
class NetlinkRequest {
  public:
    NetlinkRequest(std::uint16_t type, std::uint16_t flags);

    void append(std::span<const std::byte> bytes);  // padded to four bytes
    void attribute(std::uint16_t type, std::span<const std::byte> value);
    void attribute(std::uint16_t type, std::string_view text);  // with its NUL
    // Attributes until the matching end() belong to this one.
    std::size_t begin(std::uint16_t type);
    void end(std::size_t nest);

    // The finished message.
    std::vector<std::byte> finish() &&;

  private:
    std::vector<std::byte> bytes_;
};

// A socket of the calling thread's network namespace for `protocol` (NETLINK_ROUTE, ...).
Result<Fd> open_netlink(int protocol);

// Sends the message and waits, at most a second, for the acknowledgement of the request that asked
// for one. Fails with the kernel's errno.
Result<void> ask_kernel(const Fd& socket, std::span<const std::byte> message);

}  // namespace sheaf::node
