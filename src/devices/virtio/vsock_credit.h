#pragma once

// Why: neither side may send what the other has no room for (virtio 1.2, section 5.10.6.3). All
// counts are modulo 2^32, and what the guest says about its own may be nonsense.

#include "devices/virtio/vsock_wire.h"

namespace sheaf::virtio {

class VsockCredit {
  public:
    // Our room for what the host has not taken yet.
    static constexpr std::uint32_t buffer_size = 256_KiB;

    // ---- to the guest
    void hear(const VsockHeader& from_guest) {
        guest_size_ = from_guest.buffer_size;
        guest_forwarded_ = from_guest.forwarded_count;
    }
    // How many bytes the guest has room for.
    std::uint32_t may_send() const {
        const auto on_the_way = sent_ - guest_forwarded_;
        return on_the_way < guest_size_ ? guest_size_ - on_the_way : 0;
    }
    void send(std::uint32_t length) { sent_ += length; }

    // ---- from the guest
    // How many bytes the guest may still send.
    std::uint32_t room() const { return buffer_size - (received_ - forwarded_); }
    void receive(std::uint32_t length) { received_ += length; }
    void forward(std::uint32_t length) { forwarded_ += length; }
    // Whether the guest believes that less than half of our room is left, and is wrong.
    bool is_news() const { return forwarded_ != told_ && received_ - told_ > buffer_size / 2; }
    // Says it all in a packet.
    void tell(VsockHeader& to_guest) {
        to_guest.buffer_size = buffer_size;
        to_guest.forwarded_count = told_ = forwarded_;
    }

  private:
    std::uint32_t guest_size_ = 0;
    std::uint32_t guest_forwarded_ = 0;
    std::uint32_t sent_ = 0;
    std::uint32_t received_ = 0;
    std::uint32_t forwarded_ = 0;
    std::uint32_t told_ = 0;  // the count of forwarded_ that the guest knows
};

}  // namespace sheaf::virtio
