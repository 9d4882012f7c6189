#pragma once

// Why: the kernel is asked for links, addresses and tables over netlink: a request, and what it
// answers. A library for it (libmnl) is these lines over again (docs/decisions/0015-netlink.md).

#include <linux/netlink.h>

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace sheaf::net {

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

// One message of an answer, without its header.
using NetlinkMessage = std::span<const std::byte>;
// Sends a request for what is there (NLM_F_DUMP, or one thing by its name) and hands every message
// of the answer on. Fails with the kernel's errno.
Result<void> query_kernel(const Fd& socket, std::span<const std::byte> message,
                          const std::function<Result<void>(NetlinkMessage)>& take);

// The attributes behind a family header, or nested in one, by type.
using NetlinkAttributes = std::map<std::uint16_t, std::span<const std::byte>>;
Result<NetlinkAttributes> parse_attributes(std::span<const std::byte> bytes);
// Of a text: without its NUL. Empty where there is none.
std::string text_of(const NetlinkAttributes& attributes, std::uint16_t type);
std::uint32_t number_of(const NetlinkAttributes& attributes, std::uint16_t type);  // 0: none

}  // namespace sheaf::net
