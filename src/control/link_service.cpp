#include "control/link_service.h"

#include <algorithm>

#include "io/apart.h"

namespace sheaf::control {

namespace {

using net::Link;
using net::Links;

// The link of that name, where it is the one that is meant.
Result<std::optional<Link>> find_own(const Links& links, const std::string& name,
                                     const std::string& alias) {
    auto link = TRY(links.find(name));
    if (link && link->alias != alias)
        return fail(Kind::conflict, "the link {} is there and is not Sheaf's for this", name);
    return link;
}

Result<Link> found_again(const Links& links, const std::string& name) {
    auto link = TRY(links.find(name));
    if (!link) return fail(Kind::unavailable, "the link {} went away", name);
    return *std::move(link);
}

Result<void> provide_bridge_here(const WantedBridge& wanted) {
    const auto links = TRY(Links::open());
    if (!TRY(find_own(links, wanted.name, wanted.alias)))
        TRY(links.make_bridge(wanted.name, wanted.alias));
    const auto link = TRY(found_again(links, wanted.name));
    if (link.kind != "bridge") return fail(Kind::conflict, "the link {} is no bridge", wanted.name);
    if (wanted.address) TRY(links.add_address(link, *wanted.address));
    return link.up ? Result<void>{} : links.set_up(link);
}

Result<void> remove_bridge_here(const std::string& name, const std::string& alias) {
    const auto links = TRY(Links::open());
    const auto link = TRY(links.find(name));
    if (!link || link->alias != alias) return {};
    const auto all = TRY(links.all());
    const auto port = std::ranges::find(all, link->index, &Link::bridge);
    if (port != all.end())
        return fail(Kind::conflict, "the bridge {} has {} in it", name, port->name);
    return links.remove(*link);
}

Result<void> provide_tap_here(const WantedTap& wanted) {
    const auto links = TRY(Links::open());
    const auto bridge = TRY(links.find(wanted.bridge));
    if (!bridge) return fail(Kind::not_found, "there is no bridge {}", wanted.bridge);
    if (!TRY(find_own(links, wanted.name, wanted.alias)))
        TRY(links.make_tap(wanted.name, wanted.alias));
    const auto tap = TRY(found_again(links, wanted.name));
    TRY(links.put_into(tap, *bridge));
    return tap.up ? Result<void>{} : links.set_up(tap);
}

Result<void> remove_tap_here(const std::string& name, const std::string& alias) {
    const auto links = TRY(Links::open());
    const auto link = TRY(links.find(name));
    if (!link || link->alias != alias) return {};
    return links.remove(*link);
}

io::Task<void> wait_for(Result<void> outcome) {
    co_await std::move(outcome);
}

io::Task<std::optional<Link>> find_here(std::string name) {
    const auto links = co_await Links::open();
    co_return co_await links.find(name);
}

template <class T>
using Work = std::move_only_function<io::Task<T>(io::Loop&)>;

}  // namespace

std::string alias_of(std::string_view uid) {
    return fmt::format("sheaf:{}", uid);
}

io::Task<std::optional<Link>> LocalLinks::find(std::string name) {
    Work<std::optional<Link>> work = [name = std::move(name)](io::Loop&) {
        return find_here(name);
    };
    return io::run_apart(loop_, std::move(work));
}

io::Task<void> LocalLinks::provide_bridge(WantedBridge wanted) {
    Work<void> work = [wanted = std::move(wanted)](io::Loop&) {
        return wait_for(provide_bridge_here(wanted));
    };
    return io::run_apart(loop_, std::move(work));
}

io::Task<void> LocalLinks::remove_bridge(std::string name, std::string alias) {
    Work<void> work = [name = std::move(name), alias = std::move(alias)](io::Loop&) {
        return wait_for(remove_bridge_here(name, alias));
    };
    return io::run_apart(loop_, std::move(work));
}

io::Task<void> LocalLinks::provide_tap(WantedTap wanted) {
    Work<void> work = [wanted = std::move(wanted)](io::Loop&) {
        return wait_for(provide_tap_here(wanted));
    };
    return io::run_apart(loop_, std::move(work));
}

io::Task<void> LocalLinks::remove_tap(std::string name, std::string alias) {
    Work<void> work = [name = std::move(name), alias = std::move(alias)](io::Loop&) {
        return wait_for(remove_tap_here(name, alias));
    };
    return io::run_apart(loop_, std::move(work));
}

}  // namespace sheaf::control
