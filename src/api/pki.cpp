#include "api/pki.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "api/small_file.h"
#include "base/defer.h"

namespace sheaf::api {

namespace {

using std::chrono::days;

constexpr days life_of_authority{10 * 365};
constexpr days rest_of_authority{365};  // with less than that it is made anew
constexpr days life{365};
constexpr days rest{90};
constexpr days backdated{1};  // for clients whose clock is late

constexpr std::string_view end_of_part = "-----END CERTIFICATE-----\n";

std::chrono::sys_seconds seconds_of(const WallClock& clock) {
    return std::chrono::floor<std::chrono::seconds>(clock.now());
}

Result<bool> lasts(const io::TlsIdentity& identity, days least, const WallClock& clock) {
    return TRY(io::end_of_certificate(identity.certificate)) > seconds_of(clock) + least;
}

io::CertificateWish wish_of(io::TlsUse use, std::string name, days how_long,
                            const WallClock& clock) {
    io::CertificateWish wish;
    wish.use = use;
    wish.common_name = std::move(name);
    wish.from = seconds_of(clock) - backdated;
    wish.until = seconds_of(clock) + how_long;
    return wish;
}

void add(std::vector<std::string>& hosts, std::string host) {
    if (!host.empty() && std::ranges::find(hosts, host) == hosts.end())
        hosts.push_back(std::move(host));
}

// What somebody has called this host may be no name that others could use.
bool is_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '-' || letter == '.';
    });
}

// Those that need no interface's name beside them.
void add_interfaces(std::vector<std::string>& hosts) {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return;
    const Defer done{[&] { ::freeifaddrs(list); }};
    for (const auto* one = list; one; one = one->ifa_next) {
        if (!one->ifa_addr) continue;
        const auto family = one->ifa_addr->sa_family;
        const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        std::array<char, NI_MAXHOST> text{};
        if (family != AF_INET && family != AF_INET6) continue;
        if (::getnameinfo(one->ifa_addr, size, text.data(), text.size(), nullptr, 0,
                          NI_NUMERICHOST) == 0 &&
            !std::string_view{text.data()}.contains('%'))
            add(hosts, text.data());
    }
}

}  // namespace

std::string Pki::path(std::string_view name) const {
    return fmt::format("{}/{}.pem", folder_, name);
}

io::TlsFiles Pki::of_server() const {
    return {path("server"), path("server"), folder_ + "/authority.crt"};
}

Result<std::optional<io::TlsIdentity>> Pki::load(std::string_view name) const {
    auto text = read_small_file(path(name));
    if (!text && text.error().kind() == Kind::not_found) return std::nullopt;
    const auto whole = TRY(std::move(text));
    const auto end = whole.find(end_of_part);
    if (end == whole.npos)
        return fail(Kind::invalid, "{}: is no certificate with its key", path(name));
    const auto cut = end + end_of_part.size();
    io::TlsIdentity identity{whole.substr(0, cut), whole.substr(cut)};
    TRY_WITHIN(io::end_of_certificate(identity.certificate), "{}", path(name));
    return identity;
}

Result<io::TlsIdentity> Pki::make(std::string_view name, const io::CertificateWish& wish,
                                  const io::TlsIdentity* authority) const {
    auto identity = TRY(io::make_identity(wish, authority));
    TRY(write_small_file(path(name), identity.certificate + identity.key, 0600));
    return identity;
}

Result<bool> Pki::renew(const std::vector<std::string>& hosts, const WallClock& clock) const {
    if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST)
        return fail_os(errno, "{}", folder_);
    bool made = false;
    auto authority = TRY(load("authority"));
    if (!authority || !TRY(lasts(*authority, rest_of_authority, clock))) {
        const auto wish =
            wish_of(io::TlsUse::authority, "sheaf authority", life_of_authority, clock);
        authority = TRY(make("authority", wish, nullptr));
        made = true;
    }
    const auto known = read_small_file(folder_ + "/authority.crt");
    if (!known || *known != authority->certificate)
        TRY(write_small_file(folder_ + "/authority.crt", authority->certificate, 0644));
    const auto is_good = [&](const io::TlsIdentity& identity) -> Result<bool> {
        return TRY(lasts(identity, rest, clock)) &&
               TRY(io::is_signed_by(identity.certificate, authority->certificate));
    };
    const auto server = TRY(load("server"));
    if (!server || !TRY(is_good(*server)) || !TRY(io::covers_hosts(server->certificate, hosts))) {
        auto wish = wish_of(io::TlsUse::server, "sheaf", life, clock);
        wish.hosts = hosts;
        TRY(make("server", wish, &*authority));
        made = true;
    }
    const auto admin = TRY(load("admin"));
    if (!admin || !TRY(is_good(*admin))) {
        auto wish = wish_of(io::TlsUse::client, "admin", life, clock);
        wish.organizations = {"system:masters"};
        TRY(make("admin", wish, &*authority));
        made = true;
    }
    return made;
}

Result<io::TlsIdentity> Pki::administrator() const {
    auto identity = TRY(load("admin"));
    if (!identity) return fail(Kind::not_found, "{}: not there", path("admin"));
    return *std::move(identity);
}

Result<io::TlsIdentity> Pki::make_client(const std::string& name,
                                         const std::vector<std::string>& groups,
                                         const WallClock& clock) const {
    const auto authority = TRY(load("authority"));
    if (!authority) return fail(Kind::not_found, "{}: not there", path("authority"));
    auto wish = wish_of(io::TlsUse::client, name, life, clock);
    wish.organizations = groups;
    return io::make_identity(wish, &*authority);
}

Result<std::string> Pki::authority() const {
    return read_small_file(folder_ + "/authority.crt");
}

std::vector<std::string> hosts_of(const std::string& address) {
    std::vector<std::string> hosts{"localhost", "127.0.0.1", "::1"};
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) == 0 && is_name(name.data()))
        add(hosts, name.data());
    if (address == "0.0.0.0" || address == "::") {
        add_interfaces(hosts);
    } else {
        add(hosts, address);
    }
    return hosts;
}

}  // namespace sheaf::api
