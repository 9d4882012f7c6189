#include "net/tap.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sys/ioctl.h>

namespace sheaf::net {

namespace {

// Frames moved without a turn of the loop in between.
constexpr unsigned most_in_a_row = 64;

// Newer than Debian 12's headers (Linux 6.2); the kernel takes both or none.
constexpr unsigned tun_uso4 = 0x20;
constexpr unsigned tun_uso6 = 0x40;

unsigned flags_of(const Offloads& offloads) {
    if (!offloads.checksum) return 0;  // segmentation needs it
    unsigned flags = TUN_F_CSUM;
    if (offloads.tso4) flags |= TUN_F_TSO4;
    if (offloads.tso6) flags |= TUN_F_TSO6;
    if (offloads.ecn && (offloads.tso4 || offloads.tso6)) flags |= TUN_F_TSO_ECN;
    if (offloads.uso) flags |= tun_uso4 | tun_uso6;
    return flags;
}

// The kernel says what it knows only by refusing what it does not.
Offloads probe(const Fd& tap) {
    const auto takes = [&tap](const Offloads& offloads) {
        return ::ioctl(tap.get(), TUNSETOFFLOAD, flags_of(offloads)) == 0;
    };
    Offloads known;
    known.checksum = takes({.checksum = true});
    for (const auto member : {&Offloads::tso4, &Offloads::tso6, &Offloads::ecn, &Offloads::uso}) {
        known.*member = true;
        known.*member = known.checksum && takes(known);
    }
    return known;
}

Failure gone() {
    return fail(Kind::unavailable, "the tap was deleted");
}

}  // namespace

Result<std::unique_ptr<TapPort>> TapPort::create(io::Loop& loop, std::vector<Fd> queues) {
    if (queues.empty()) return fail(Kind::invalid, "a tap has at least one queue");
    auto port = std::unique_ptr<TapPort>{new TapPort{}};
    port->offered_ = probe(queues.front());
    for (auto& tap : queues) {
        const auto flags = TRY(checked(::fcntl(tap.get(), F_GETFL), "reading the tap's flags"));
        TRY(checked(::fcntl(tap.get(), F_SETFL, flags | O_NONBLOCK), "setting the tap's flags"));
        port->queues_.push_back(std::make_unique<Queue>(loop, std::move(tap)));
    }
    TRY(port->accept({}));
    TRY(port->use_queues(1));
    return port;
}

Result<void> TapPort::use_queues(std::size_t count) {
    if (count == 0 || count > queues_.size())
        return fail(Kind::invalid, "{} queues of {}", count, queues_.size());
    for (std::size_t index = 0; index < queues_.size(); ++index)
        TRY(queues_[index]->put(index < count ? Queue::Use::in : Queue::Use::out));
    return {};
}

// The setting belongs to the interface, so any of its descriptors will do; the first is never
// detached.
Result<void> TapPort::accept(const Offloads& offloads) {
    TRY(checked(::ioctl(queues_.front()->descriptor(), TUNSETOFFLOAD, flags_of(offloads)),
                "setting the tap's offloads"));
    return {};
}

// A queue stays detached from one owner of its descriptor to the next, and the kernel does not say
// whether it is: it only refuses to do twice what was done.
Result<void> TapPort::Queue::put(Use use) {
    if (use_ == use) return {};
    ifreq request{};
    request.ifr_flags = use == Use::in ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE;
    const auto outcome = ::ioctl(tap_.get(), TUNSETQUEUE, &request);
    if (outcome != 0 && (use_.has_value() || errno != EINVAL))
        return fail_os(errno, "switching a queue of the tap");
    use_ = use;
    return {};
}

io::Task<std::size_t> TapPort::Queue::receive(std::span<const iovec> vectors) {
    while (true) {
        if (received_in_a_row_ < most_in_a_row) {
            const auto count =
                ::readv(tap_.get(), vectors.data(), static_cast<int>(vectors.size()));
            if (count >= 0) {
                ++received_in_a_row_;
                co_return static_cast<std::size_t>(count);
            }
            if (errno == EBADFD) co_await gone();
            if (errno != EAGAIN && errno != EINTR) co_await fail_os(errno, "reading a frame");
        }
        received_in_a_row_ = 0;
        co_await loop_.poll(tap_.get(), POLLIN);
    }
}

io::Task<void> TapPort::Queue::send(std::span<const iovec> vectors) {
    while (true) {
        if (sent_in_a_row_ < most_in_a_row) {
            const auto count =
                ::writev(tap_.get(), vectors.data(), static_cast<int>(vectors.size()));
            if (count >= 0) {
                ++sent_in_a_row_;
                co_return;
            }
            if (errno == EBADFD) co_await gone();
            if (errno != EAGAIN && errno != EINTR) co_await fail_os(errno, "sending a frame");
        }
        sent_in_a_row_ = 0;
        co_await loop_.poll(tap_.get(), POLLOUT);
    }
}

}  // namespace sheaf::net
