#include "net/links.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "net/netlink.h"

namespace sheaf::net {

namespace {

std::span<const std::byte> bytes_of_header(const ifinfomsg& header) {
    return std::as_bytes(std::span{&header, 1});
}

NetlinkRequest about_link(std::uint16_t type, std::uint16_t flags, const ifinfomsg& header) {
    NetlinkRequest request{type, flags};
    request.append(bytes_of_header(header));
    return request;
}

Result<Link> parse_link(NetlinkMessage message) {
    if (message.size() < sizeof(ifinfomsg))
        return fail(Kind::corrupt, "a link of {} bytes", message.size());
    ifinfomsg header{};
    std::memcpy(&header, message.data(), sizeof(header));
    const auto attributes = TRY(parse_attributes(message.subspan(sizeof(header))));
    Link link;
    link.index = static_cast<unsigned>(header.ifi_index);
    link.up = (header.ifi_flags & IFF_UP) != 0;
    link.name = text_of(attributes, IFLA_IFNAME);
    link.alias = text_of(attributes, IFLA_IFALIAS);
    link.bridge = number_of(attributes, IFLA_MASTER);
    if (const auto info = attributes.find(IFLA_LINKINFO); info != attributes.end())
        link.kind = text_of(TRY(parse_attributes(info->second)), IFLA_INFO_KIND);
    return link;
}

ifinfomsg header_of(const Link& link) {
    ifinfomsg header{};
    header.ifi_index = static_cast<int>(link.index);
    return header;
}

// Whoever is not root hears of it in words, not as EPERM.
template <class T>
Result<T> told_of(const std::string& what, Result<T> outcome) {
    if (outcome) return outcome;
    if (outcome.error().os_error() == EPERM)
        return fail(Kind::denied, "{}: links of the host may not be changed by this user", what);
    return Failure{std::move(outcome).error().within(what)};
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
    const auto slash = text.find('/');
    const auto host = std::string{text.substr(0, slash)};
    const auto length = slash == text.npos ? std::string_view{} : text.substr(slash + 1);
    Address address;
    const auto parsed =
        std::from_chars(length.data(), length.data() + length.size(), address.prefix);
    const int family = host.contains(':') ? AF_INET6 : AF_INET;
    address.bytes.resize(family == AF_INET6 ? 16 : 4);
    if (length.empty() || parsed.ec != std::errc{} || parsed.ptr != length.data() + length.size() ||
        address.prefix > 8 * address.bytes.size() ||
        ::inet_pton(family, host.c_str(), address.bytes.data()) != 1)
        return fail(Kind::invalid, "\"{}\" is no address with a prefix, as 10.0.0.1/24", text);
    return address;
}

Result<void> check_link_name(std::string_view name) {
    const bool fits = !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
                      std::ranges::all_of(
                          name,
                          [](char letter) {
                              return letter > ' ' && letter < 127 && letter != '/' && letter != ':';
                          });
    if (!fits) return fail(Kind::invalid, "\"{}\" is no name of a link", name);
    return {};
}

Result<Links> Links::open() {
    return Links{TRY(open_netlink(NETLINK_ROUTE))};
}

Result<std::optional<Link>> Links::find(const std::string& name) const {
    TRY(check_link_name(name));
    auto request = about_link(RTM_GETLINK, 0, {});
    request.attribute(IFLA_IFNAME, name);
    std::optional<Link> found;
    const auto take = [&found](NetlinkMessage message) -> Result<void> {
        found = TRY(parse_link(message));
        return {};
    };
    const auto asked = query_kernel(socket_, std::move(request).finish(), take);
    if (!asked && asked.error().os_error() == ENODEV) return std::nullopt;
    if (!asked) return told_of<std::optional<Link>>("link " + name, Failure{asked.error()});
    return found;
}

Result<std::vector<Link>> Links::all() const {
    auto request = about_link(RTM_GETLINK, NLM_F_DUMP, {});
    std::vector<Link> found;
    const auto take = [&found](NetlinkMessage message) -> Result<void> {
        found.push_back(TRY(parse_link(message)));
        return {};
    };
    TRY_WITHIN(query_kernel(socket_, std::move(request).finish(), take), "links");
    return found;
}

// Its alias is set in the same request where the kernel takes it there, and again where it did not.
Result<void> Links::make_bridge(const std::string& name, const std::string& alias) const {
    TRY(check_link_name(name));
    auto request = about_link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, {});
    request.attribute(IFLA_IFNAME, name);
    request.attribute(IFLA_IFALIAS, alias);
    const auto info = request.begin(IFLA_LINKINFO);
    request.attribute(IFLA_INFO_KIND, "bridge");
    request.end(info);
    TRY(told_of("making the bridge " + name, ask_kernel(socket_, std::move(request).finish())));
    return set_alias(name, alias);
}

Result<void> Links::make_tap(const std::string& name, const std::string& alias) const {
    TRY(check_link_name(name));
    if (TRY(find(name))) return fail(Kind::exists, "link {}: exists already", name);
    const auto tap =
        TRY_WITHIN(checked_fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC), "opening /dev/net/tun"),
                   "tap {}", name);
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE);
    TRY(told_of("making the tap " + name,
                checked(::ioctl(tap.get(), TUNSETIFF, &request), "refused")));
    // Whose it is it says before it outlives this descriptor.
    TRY(set_alias(name, alias));
    TRY(checked(::ioctl(tap.get(), TUNSETPERSIST, 1), "tap {}: keeping it", name));
    return {};
}

Result<void> Links::set_alias(const std::string& name, const std::string& alias) const {
    const auto link = TRY(find(name));
    if (!link) return fail(Kind::not_found, "link {}: went away", name);
    if (link->alias == alias) return {};
    auto request = about_link(RTM_NEWLINK, NLM_F_ACK, header_of(*link));
    request.attribute(IFLA_IFALIAS, alias);
    return told_of("link " + name, ask_kernel(socket_, std::move(request).finish()));
}

Result<void> Links::set_up(const Link& link) const {
    auto header = header_of(link);
    header.ifi_flags = IFF_UP;
    header.ifi_change = IFF_UP;
    auto request = about_link(RTM_NEWLINK, NLM_F_ACK, header);
    return told_of("link " + link.name, ask_kernel(socket_, std::move(request).finish()));
}

Result<void> Links::put_into(const Link& port, const Link& bridge) const {
    if (port.bridge == bridge.index) return {};
    auto request = about_link(RTM_NEWLINK, NLM_F_ACK, header_of(port));
    request.attribute(IFLA_MASTER, bytes_of(bridge.index));
    return told_of("link " + port.name + " into " + bridge.name,
                   ask_kernel(socket_, std::move(request).finish()));
}

Result<void> Links::add_address(const Link& link, const Address& address) const {
    ifaddrmsg header{};
    header.ifa_family = address.bytes.size() == 4 ? AF_INET : AF_INET6;
    header.ifa_prefixlen = static_cast<std::uint8_t>(address.prefix);
    header.ifa_index = link.index;
    NetlinkRequest request{RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK};
    request.append(std::as_bytes(std::span{&header, 1}));
    request.attribute(IFA_LOCAL, as_bytes(address.bytes));
    request.attribute(IFA_ADDRESS, as_bytes(address.bytes));
    const auto added = ask_kernel(socket_, std::move(request).finish());
    if (!added && added.error().os_error() == EEXIST) return {};
    return told_of("an address of " + link.name, added);
}

Result<void> Links::remove(const Link& link) const {
    auto request = about_link(RTM_DELLINK, NLM_F_ACK, header_of(link));
    const auto removed = ask_kernel(socket_, std::move(request).finish());
    if (!removed && removed.error().os_error() == ENODEV) return {};
    return told_of("removing the link " + link.name, removed);
}

}  // namespace sheaf::net
