#pragma once

// Why: what networks and machines need done to the links of the host, so that reconcilers can be
// run against a host that a test makes refuse.

#include <optional>
#include <string>

#include "io/loop.h"
#include "io/task.h"
#include "net/links.h"

namespace sheaf::control {

struct WantedBridge {
    std::string name;
    std::string alias;                    // whose it is
    std::optional<net::Address> address;  // that the host has in it
};

struct WantedTap {
    std::string name;
    std::string alias;
    std::string bridge;  // its name
};

// Loop thread only, any number of calls at once. Each brings about what is wanted from whatever is
// there, and fails with conflict where the name belongs to somebody else, with denied where links
// may not be changed.
class LinkService {
  public:
    LinkService() = default;
    LinkService(const LinkService&) = delete;
    LinkService& operator=(const LinkService&) = delete;
    virtual ~LinkService() = default;

    virtual io::Task<std::optional<net::Link>> find(std::string name) = 0;
    virtual io::Task<void> provide_bridge(WantedBridge wanted) = 0;
    // conflict: it has ports.
    virtual io::Task<void> remove_bridge(std::string name, std::string alias) = 0;
    // not_found: there is no such bridge.
    virtual io::Task<void> provide_tap(WantedTap wanted) = 0;
    // One that is gone, or somebody else's by now, is no failure.
    virtual io::Task<void> remove_tap(std::string name, std::string alias) = 0;
};

// The links of this host.
class LocalLinks final : public LinkService {
  public:
    explicit LocalLinks(io::Loop& loop) : loop_(loop) {}

    io::Task<std::optional<net::Link>> find(std::string name) override;
    io::Task<void> provide_bridge(WantedBridge wanted) override;
    io::Task<void> remove_bridge(std::string name, std::string alias) override;
    io::Task<void> provide_tap(WantedTap wanted) override;
    io::Task<void> remove_tap(std::string name, std::string alias) override;

  private:
    io::Loop& loop_;
};

// Whose a link of this object is: "sheaf:UID".
std::string alias_of(std::string_view uid);

}  // namespace sheaf::control
