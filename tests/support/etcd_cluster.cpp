#include "support/etcd_cluster.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace sheaf::test {

namespace {

constexpr auto program = "/usr/bin/etcd";

// What it says is kept for whoever looks for the reason of a failure.
Child start_quietly(const std::string& name, std::vector<std::string> arguments,
                    const std::string& log) {
    arguments.insert(arguments.begin(), name);
    const Fd output{::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    const std::array handed{Child::Handed{output.get(), STDOUT_FILENO},
                            Child::Handed{output.get(), STDERR_FILENO}};
    return Child::start(name.c_str(), arguments, handed).value();
}

void run(const std::string& name, std::vector<std::string> arguments, const std::string& log) {
    if (!start_quietly(name, std::move(arguments), log).reap().empty()) std::abort();
}

int free_port() {
    const Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* generic = std::bit_cast<sockaddr*>(&address);
    if (::bind(socket.get(), generic, length) != 0) std::abort();
    if (::getsockname(socket.get(), generic, &length) != 0) std::abort();
    return ntohs(address.sin_port);
}

std::vector<std::string> key_and_certificate(const std::string& path, const std::string& name) {
    return {
        "req",    "-x509",   "-newkey",     "ec",   "-pkeyopt",    "ec_paramgen_curve:prime256v1",
        "-nodes", "-keyout", path + ".key", "-out", path + ".pem", "-days",
        "2",      "-subj",   "/CN=" + name};
}

}  // namespace

Certificates::Certificates(std::string folder) : folder_(std::move(folder)) {
    run("openssl", key_and_certificate(folder_ + "/authority", "authority"), folder_ + "/log");
}

io::TlsFiles Certificates::make(const std::string& name) const {
    const auto path = folder_ + "/" + name;
    auto arguments = key_and_certificate(path, name);
    for (const auto& more :
         {std::string{"-CA"}, authority(), std::string{"-CAkey"}, folder_ + "/authority.key",
          std::string{"-addext"}, std::string{"subjectAltName=IP:127.0.0.1,DNS:localhost"},
          std::string{"-addext"}, std::string{"basicConstraints=critical,CA:FALSE"}})
        arguments.push_back(more);
    run("openssl", arguments, folder_ + "/log");
    return {.certificate = path + ".pem", .key = path + ".key", .authority = authority()};
}

bool EtcdCluster::is_installed() {
    return ::access(program, X_OK) == 0;
}

EtcdCluster::EtcdCluster(const std::string& folder)
    : folder_(folder),
      certificates_(folder),
      server_(certificates_.make("member")),
      client_(certificates_.make("client")) {
    for (auto& member : members_) {
        member.client_port = free_port();
        member.peer_port = free_port();
    }
    for (std::size_t member = 0; member < members; ++member) start(member);
}

std::string EtcdCluster::url(std::size_t member) const {
    return fmt::format("https://127.0.0.1:{}", members_.at(member).client_port);
}

std::string EtcdCluster::location() const {
    return fmt::format("etcd:{},{},{}", url(0), url(1), url(2));
}

std::string EtcdCluster::peers() const {
    std::string text;
    for (std::size_t i = 0; i < members; ++i)
        text += fmt::format("{}m{}=http://127.0.0.1:{}", i == 0 ? "" : ",", i,
                            members_.at(i).peer_port);
    return text;
}

void EtcdCluster::start(std::size_t member) {
    const auto peer = fmt::format("http://127.0.0.1:{}", members_.at(member).peer_port);
    const auto name = fmt::format("m{}", member);
    // A test that is killed leaves none of them.
    std::vector<std::string> arguments{"--pdeathsig", "KILL", program, "--name", name};
    const std::pair<const char*, std::string> options[] = {
        {"--data-dir", folder_ + "/" + name},
        {"--listen-client-urls", url(member)},
        {"--advertise-client-urls", url(member)},
        {"--listen-peer-urls", peer},
        {"--initial-advertise-peer-urls", peer},
        {"--initial-cluster", peers()},
        {"--cert-file", server_.certificate},
        {"--key-file", server_.key},
        {"--trusted-ca-file", server_.authority},
        {"--logger", "zap"},
        {"--log-level", "error"},
    };
    for (const auto& [option, value] : options) arguments.insert(arguments.end(), {option, value});
    arguments.push_back("--client-cert-auth");
    members_.at(member).process =
        start_quietly("setpriv", std::move(arguments), folder_ + "/" + name + ".log");
}

void EtcdCluster::kill(std::size_t member) {
    auto& process = members_.at(member).process;
    process.kill();
    process.reap();
}

void EtcdCluster::freeze(std::size_t member) {
    ::kill(members_.at(member).process.pid(), SIGSTOP);
}

void EtcdCluster::thaw(std::size_t member) {
    ::kill(members_.at(member).process.pid(), SIGCONT);
}

}  // namespace sheaf::test
