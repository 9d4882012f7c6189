#include "storage/replica/dialer.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <bit>
#include <cstring>

#include "io/tls_stream.h"

namespace sheaf::replica {

Result<bool> uses_tls(const Address& address, bool has_certificate, Plain plain) {
    if (address.is_unix()) return false;
    if (plain == Plain::on_loopback && address.is_local()) return false;
    if (has_certificate) return true;
    if (address.is_local())
        return fail(Kind::denied,
                    "{}: without --tls-cert, --tls-key and --tls-ca only with --insecure",
                    address.text());
    return fail(Kind::denied,
                "{}: leads to other hosts, and needs --tls-cert, --tls-key and --tls-ca",
                address.text());
}

io::Task<Fd> Dialer::connect(Address address) {
    if (!address.is_unix()) co_return co_await io::dial(loop_, resolver_, address.port);
    sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
    if (address.path.size() >= sizeof(name.sun_path))
        co_await fail(Kind::invalid, "{}: the path is too long", address.text());
    std::memcpy(name.sun_path, address.path.data(), address.path.size());
    auto socket = co_await checked_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "a socket");
    const auto* generic = std::bit_cast<const sockaddr*>(&name);
    const auto connected = co_await loop_.connect(socket.get(), generic, sizeof(name)).result();
    if (!connected) co_await Failure{Error{connected.error()}.within(address.text())};
    co_return socket;
}

io::Task<std::unique_ptr<io::ByteStream>> Dialer::open(Address address, std::string node) {
    const auto encrypted = co_await uses_tls(address, tls_ != nullptr, plain_);
    auto socket = co_await connect(std::move(address));
    auto stream = std::make_unique<io::SocketStream>(loop_, std::move(socket));
    if (!encrypted) co_return stream;
    co_return co_await io::TlsStream::open(*tls_, std::move(stream), std::move(node));
}

}  // namespace sheaf::replica
