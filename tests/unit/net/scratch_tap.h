#pragma once

// Why: taps for tests live in a network namespace of their own, so that nothing on the host is seen
// or changed.

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <string>

#include "base/fd.h"

namespace sheaf::net {

// From now on this thread sees an empty network; false where that is not permitted.
inline bool enter_own_network() {
    return ::unshare(CLONE_NEWNET) == 0 && ::access("/dev/net/tun", R_OK | W_OK) == 0;
}

inline ifreq request_for(const std::string& name, int flags = 0) {
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_flags = static_cast<short>(flags);
    return request;
}

// A persistent tun device; `flags` say of which kind.
class ScratchTap {
  public:
    explicit ScratchTap(const std::string& name, int flags = IFF_TAP)
        : name_(name), flags_(flags | IFF_NO_PI) {
        valid_ = set_persistent(1);
    }
    ScratchTap(const ScratchTap&) = delete;
    ScratchTap& operator=(const ScratchTap&) = delete;
    ~ScratchTap() { remove(); }

    bool valid() const { return valid_; }
    bool remove() { return set_persistent(0); }

    // Brings the interface up and gives a socket that plays the host's side of it. IPv6 is kept
    // from chattering on it.
    Fd host_side() const {
        Fd socket{::socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))};
        auto request = request_for(name_, IFF_UP | IFF_NOARP);
        ::ioctl(socket.get(), SIOCSIFFLAGS, &request);
        request = request_for(name_);
        ::ioctl(socket.get(), SIOCGIFINDEX, &request);
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_protocol = htons(ETH_P_ALL);
        address.sll_ifindex = request.ifr_ifindex;
        ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
        const timeval patience{.tv_sec = 5, .tv_usec = 0};
        ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        return socket;
    }

  private:
    bool set_persistent(unsigned long persistent) const {
        const Fd tap{::open("/dev/net/tun", O_RDWR | O_CLOEXEC)};
        auto request = request_for(name_, flags_);
        return ::ioctl(tap.get(), TUNSETIFF, &request) == 0 &&
               ::ioctl(tap.get(), TUNSETPERSIST, persistent) == 0;
    }

    std::string name_;
    int flags_;
    bool valid_ = false;
};

}  // namespace sheaf::net
