#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cstring>
#include <thread>

#include "base/bytes.h"
#include "net/netlink.h"
#include "node/doctor_probes.h"

namespace sheaf::node {

namespace {

using net::ask_kernel;
using net::NetlinkRequest;
using net::open_netlink;

constexpr std::string_view tap_name = "sheaf-tap";
constexpr std::string_view bridge_name = "sheaf-bridge";

// A tap as `sheaf run` opens it. It is gone when the descriptor is.
Result<Fd> make_tap() {
    auto fd = TRY(checked_fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC), "opening /dev/net/tun"));
    auto request = ifreq{};
    std::ranges::copy(tap_name, request.ifr_name);
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE;
    TRY(checked(::ioctl(fd.get(), TUNSETIFF, &request), "making a tap"));
    return fd;
}

// A new link of the kind that `describe` adds the details of, over the link `lower` where not 0.
Result<void> make_link(std::string_view name, std::string_view kind, unsigned lower,
                       auto describe) {
    const auto socket = TRY(open_netlink(NETLINK_ROUTE));
    const auto blank = ifinfomsg{};
    auto request = NetlinkRequest{RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK};
    request.append(std::as_bytes(std::span{&blank, 1}));
    request.attribute(IFLA_IFNAME, name);
    if (lower != 0) request.attribute(IFLA_LINK, bytes_of(lower));
    const auto info = request.begin(IFLA_LINKINFO);
    request.attribute(IFLA_INFO_KIND, kind);
    const auto details = request.begin(IFLA_INFO_DATA);
    describe(request);
    request.end(details);
    request.end(info);
    return ask_kernel(socket, std::move(request).finish());
}

Result<void> make_bridge(std::string_view name) {
    return make_link(name, "bridge", 0, [](NetlinkRequest&) {});
}

Result<void> make_filtering_bridge(std::string_view name) {
    return make_link(name, "bridge", 0, [](NetlinkRequest& request) {
        request.attribute(IFLA_BR_VLAN_FILTERING, bytes_of(std::uint8_t{1}));
    });
}

Result<void> make_vlan(std::string_view lower) {
    const auto index = ::if_nametoindex(std::string{lower}.c_str());
    if (index == 0) return fail(Kind::unavailable, "there is no link to put it on");
    return make_link("sheaf-vlan", "vlan", index, [](NetlinkRequest& request) {
        request.attribute(IFLA_VLAN_ID, bytes_of(std::uint16_t{100}));
    });
}

// A table, as one transaction.
Result<void> make_nftables_table() {
    const auto family = [](std::uint8_t which, std::uint16_t resource) {
        return nfgenmsg{
            .nfgen_family = which, .version = NFNETLINK_V0, .res_id = __builtin_bswap16(resource)};
    };
    const auto socket = TRY(open_netlink(NETLINK_NETFILTER));
    auto begin = NetlinkRequest{NFNL_MSG_BATCH_BEGIN, 0};
    begin.append(bytes_of(family(AF_UNSPEC, NFNL_SUBSYS_NFTABLES)));
    auto table =
        NetlinkRequest{NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK};
    table.append(bytes_of(family(NFPROTO_INET, 0)));
    table.attribute(NFTA_TABLE_NAME, "sheaf-doctor");
    auto end = NetlinkRequest{NFNL_MSG_BATCH_END, 0};
    end.append(bytes_of(family(AF_UNSPEC, NFNL_SUBSYS_NFTABLES)));
    auto batch = std::move(begin).finish();
    for (auto& part : {std::move(table).finish(), std::move(end).finish()})
        batch.insert(batch.end(), part.begin(), part.end());
    return ask_kernel(socket, batch);
}

Finding judge(std::string topic, const Result<void>& tried, std::string good,
              const std::string& cost, std::string remedy) {
    if (tried) return {.topic = std::move(topic), .detail = std::move(good), .remedy = {}};
    return {.topic = std::move(topic),
            .health = Health::missing,
            .detail = tried.error().text() + ": " + cost,
            .remedy = std::move(remedy)};
}

void try_everything(Findings& findings) {
    const auto tap = make_tap();
    const auto bridge = make_bridge(bridge_name);
    const auto filtering = make_filtering_bridge("sheaf-filter");
    findings.push_back(judge("tap", tap ? Result<void>{} : Failure{tap.error()},
                             "multi-queue, with offloads", "network cards need it",
                             "modprobe tun; in a container, pass /dev/net/tun in"));
    findings.push_back(judge("bridge", bridge, "links can be joined",
                             "machines cannot share a network", "modprobe bridge"));
    if (bridge && !filtering)
        findings.push_back(
            {.topic = "bridge VLANs",
             .health = Health::degraded,
             .detail = filtering.error().text() + ": each VLAN needs a bridge of its own",
             .remedy = "use a kernel with CONFIG_BRIDGE_VLAN_FILTERING"});
    findings.push_back(judge("VLAN", make_vlan(tap ? tap_name : bridge_name),
                             "links can carry tagged networks", "no tagged networks",
                             "modprobe 8021q"));
    findings.push_back(judge("nftables", make_nftables_table(),
                             "networks can be filtered and hidden",
                             "no address translation or filters", "modprobe nf_tables"));
}

// Without the right to a network namespace: what can be seen.
void look_only(Findings& findings, const Error& why) {
    const bool tap = ::faccessat(AT_FDCWD, "/dev/net/tun", R_OK | W_OK, AT_EACCESS) == 0;
    findings.push_back({.topic = "tap",
                        .health = tap ? Health::ok : Health::missing,
                        .detail = tap ? "/dev/net/tun may be opened"
                                      : "/dev/net/tun may not be opened: network cards need it",
                        .remedy = tap ? "" : "modprobe tun; pass /dev/net/tun in"});
    for (const auto* module : {"bridge", "8021q", "nf_tables"}) {
        const auto path = fmt::format("/sys/module/{}", module);
        const bool loaded = ::access(path.c_str(), F_OK) == 0;
        findings.push_back(
            {.topic = module,
             .health = loaded ? Health::ok : Health::degraded,
             .detail = fmt::format("{}; not tried ({})",
                                   loaded ? "loaded" : "not loaded as a module", why.text()),
             .remedy = loaded ? "" : "run sheaf doctor as root to try it"});
    }
}

}  // namespace

void examine_network(Findings& findings) {
    // A namespace belongs to the thread that made it, and goes with all that is in it.
    auto thread = std::jthread{[&findings] {
        if (const auto own = checked(::unshare(CLONE_NEWNET), "a network namespace"); !own)
            look_only(findings, own.error());
        else
            try_everything(findings);
    }};
}

}  // namespace sheaf::node
