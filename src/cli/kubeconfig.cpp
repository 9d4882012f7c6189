// What kubectl needs to know of a daemon, as one file.

#include <array>

#include "api/pki.h"
#include "api/small_file.h"
#include "base/base64.h"
#include "base/json_path.h"
#include "cli/pool_verb.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"state-dir", "DIR", "where the daemon keeps its objects (default: /var/lib/sheaf)"},
    {"server", "URL", "where it is reached (default: where it listens)"},
    {"user", "NAME", "make a certificate for somebody else than the administrator"},
    {"group", "NAME", "a group of that user (may be given several times)"},
});

// A wildcard is no address to connect to.
std::string url_of(std::string address) {
    while (address.ends_with('\n')) address.pop_back();
    if (address.starts_with("0.0.0.0:")) address.replace(0, 7, "127.0.0.1");
    if (address.starts_with("[::]:")) address.replace(0, 4, "[::1]");
    return "https://" + address;
}

Result<std::string> server_of(const Arguments& arguments, const std::string& state) {
    auto given = TRY(arguments.one("server"));
    if (!given.empty()) return given;
    auto address = api::read_small_file(state + "/pki/address");
    if (!address && address.error().kind() == Kind::not_found)
        return fail(Kind::not_found,
                    "no daemon with TLS has run on {}: start it, or say --server URL", state);
    return url_of(TRY(std::move(address)));
}

Result<io::TlsIdentity> identity_of(const Arguments& arguments, const api::Pki& pki) {
    const auto user = TRY(arguments.one("user"));
    const auto groups = arguments.all("group");
    if (user.empty() && !groups.empty())
        return fail(Kind::invalid, "--group is of a user: say --user NAME as well");
    if (user.empty()) return pki.administrator();
    const HostClock clock;
    return pki.make_client(user, {groups.begin(), groups.end()}, clock);
}

// As kubectl writes it. Texts are in quotes of JSON, which are those of YAML.
std::string config(const std::string& server, const std::string& authority, const std::string& user,
                   const io::TlsIdentity& identity) {
    return fmt::format(
        "apiVersion: v1\n"
        "kind: Config\n"
        "clusters:\n"
        "- name: sheaf\n"
        "  cluster:\n"
        "    server: {}\n"
        "    certificate-authority-data: {}\n"
        "users:\n"
        "- name: {}\n"
        "  user:\n"
        "    client-certificate-data: {}\n"
        "    client-key-data: {}\n"
        "contexts:\n"
        "- name: sheaf\n"
        "  context: {{cluster: sheaf, user: {}}}\n"
        "current-context: sheaf\n",
        json::in_quotes(server), to_base64(authority), user, to_base64(identity.certificate),
        to_base64(identity.key), user);
}

Result<void> write_config(const Arguments& arguments) {
    const auto state = TRY(arguments.one("state-dir", "/var/lib/sheaf"));
    const api::Pki pki{state};
    const auto server = TRY(server_of(arguments, state));
    const auto authority = pki.authority();
    if (!authority && authority.error().kind() == Kind::not_found)
        return fail(Kind::not_found, "{} has no certificates: sheaf daemon init makes them", state);
    const auto identity = TRY(identity_of(arguments, pki));
    const auto user = json::in_quotes(TRY(arguments.one("user", "admin")));
    return print(config(server, TRY(Result<std::string>{authority}), user, identity));
}

int kubeconfig_main(std::span<char*> arguments) {
    return main_of(kubeconfig_verb, arguments, write_config);
}

}  // namespace

constinit const Verb kubeconfig_verb = {
    .name = "kubeconfig",
    .summary = "print the file by which kubectl reaches the daemon",
    .options = options,
    .details =
        "The file has a key in it: whoever has it is that user, the administrator where --user "
        "says\n"
        "nothing else. What another user may do stands in access.json of the state directory.",
    .example = "sheaf kubeconfig > ~/.kube/config",
    .main = kubeconfig_main,
};

}  // namespace sheaf::cli
