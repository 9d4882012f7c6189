#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <cstring>

#include "net/tap.h"
#include "net/vnet_header.h"

namespace sheaf::net {

namespace {

constexpr short tap_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;

ifreq request_for(const std::string& name) {
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    return request;
}

Result<Fd> open_device(const std::string& name) {
    const auto number = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (number >= 0) return Fd{number};
    if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
        return fail(Kind::unavailable, "tap {}: the host has no /dev/net/tun; load the module tun",
                    name);
    return fail_os(errno, "tap {}: opening /dev/net/tun", name);
}

// The kernel would make an interface that is missing; a name with a mistake in it must not.
Result<void> check_exists(const std::string& name) {
    if (name.empty() || name.size() >= IFNAMSIZ)
        return fail(Kind::invalid, "tap \"{}\": a name has 1 to {} letters", name, IFNAMSIZ - 1);
    const auto socket =
        TRY_WITHIN(checked_fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "opening a socket"),
                   "tap {}", name);
    auto request = request_for(name);
    if (::ioctl(socket.get(), SIOCGIFINDEX, &request) == 0) return {};
    if (errno == ENODEV)
        return fail(Kind::not_found,
                    "tap {} does not exist; make it with: ip tuntap add {} mode tap", name, name);
    return fail_os(errno, "tap {}", name);
}

Failure attach_failure(const std::string& name, int os_error) {
    switch (os_error) {
        case EINVAL: return fail(Kind::invalid, "{} is not a tap", name);
        case EBUSY: return fail(Kind::conflict, "tap {} is in use by another process", name);
        case EPERM:
        case EACCES:
            return fail(
                Kind::denied,
                "tap {}: no permission; run as root or give it to this user with: ip tuntap "
                "add {} mode tap user NAME",
                name, name);
        case E2BIG: return fail(Kind::conflict, "tap {}: all of its queues are in use", name);
        default: return fail_os(os_error, "tap {}", name);
    }
}

// 0, or the errno of the attempt.
int attach(const Fd& tap, const std::string& name, int flags) {
    auto request = request_for(name);
    request.ifr_flags = static_cast<short>(flags);
    return ::ioctl(tap.get(), TUNSETIFF, &request) == 0 ? 0 : errno;
}

// An interface that goes away with its last descriptor may have come into being just now.
Result<void> check_was_there(const Fd& tap, const std::string& name) {
    ifreq request{};
    TRY(checked(::ioctl(tap.get(), TUNGETIFF, &request), "tap {}", name));
    if (request.ifr_flags & IFF_PERSIST) return {};
    return fail(Kind::not_found,
                "tap {} is not persistent; make it with: ip tuntap add {} mode tap", name, name);
}

}  // namespace

Result<std::vector<Fd>> open_tap(const std::string& name, std::size_t most_queues) {
    TRY(check_exists(name));
    std::vector<Fd> queues;
    int flags = tap_flags | IFF_MULTI_QUEUE;
    while (queues.size() < most_queues) {
        auto tap = TRY(open_device(name));
        auto refused = attach(tap, name, flags);
        if (refused == EINVAL && queues.empty()) {
            // The kernel insists on hearing whether the tap was made for several queues.
            flags = tap_flags;
            most_queues = 1;
            refused = attach(tap, name, flags);
        }
        if (refused != 0) return attach_failure(name, refused);
        TRY(check_was_there(tap, name));
        const int header_size = sizeof(VnetHeader);
        TRY(checked(::ioctl(tap.get(), TUNSETVNETHDRSZ, &header_size), "tap {}: header size",
                    name));
        queues.push_back(std::move(tap));
    }
    return queues;
}

}  // namespace sheaf::net
