#pragma once

// Why: bridges and taps are made and removed by name, and every one that Sheaf makes says so in its
// alias: what has another one, or none, is somebody else's and is not touched.

#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"

namespace sheaf::net {

struct Link {
    bool operator==(const Link&) const = default;
    unsigned index = 0;
    std::string name;
    std::string kind;     // "bridge", "tun"; empty: a network card, or what says nothing
    std::string alias;    // whose it is
    unsigned bridge = 0;  // index of the link that it is a port of; 0: none
    bool up = false;
};

// An address with the length of its prefix: "10.0.0.1/24", "fd00::1/64".
struct Address {
    std::string bytes;  // 4 or 16
    unsigned prefix = 0;
};
// Fails with invalid.
Result<Address> parse_address(std::string_view text);
// 1 to 15 letters that a name of a link may have. Fails with invalid.
Result<void> check_link_name(std::string_view name);

// The links of the calling thread's network namespace. Any one thread; calls block for as long as
// the kernel takes, a second at most. What needs a permission fails with denied.
class Links {
  public:
    static Result<Links> open();

    Result<std::optional<Link>> find(const std::string& name) const;
    Result<std::vector<Link>> all() const;

    // Fails with exists. What is made is the caller's by its alias, and down.
    Result<void> make_bridge(const std::string& name, const std::string& alias) const;
    // A tap that stays until it is removed, for open_tap().
    Result<void> make_tap(const std::string& name, const std::string& alias) const;
    Result<void> set_up(const Link& link) const;
    Result<void> put_into(const Link& port, const Link& bridge) const;
    // One that is there is no failure.
    Result<void> add_address(const Link& link, const Address& address) const;
    Result<void> remove(const Link& link) const;

  private:
    explicit Links(Fd socket) : socket_(std::move(socket)) {}
    Result<void> set_alias(const std::string& name, const std::string& alias) const;

    Fd socket_;
};

}  // namespace sheaf::net
