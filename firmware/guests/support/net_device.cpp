#include "support/net_device.h"

#include "support/console.h"

namespace probe {

bool NetDevice::open(Machine& machine, Pci& pci, uint64_t features, uint32_t index) {
    if (!device_.attach(pci, virtio_net_id, index)) return false;
    features |= net::feature_mac | net::feature_status;
    if (machine.command_line.flag("event_index", true)) features |= feature::event_index;
    if (!device_.negotiate(machine.clock, features)) {
        print("net: features refused, status {x}\n", device_.get_status());
        return false;
    }
    for (uint32_t i = 0; i < 6; ++i) mac_[i] = device_.config<uint8_t>(i);
    if (has(net::feature_mergeable)) {
        receive_size_ = static_cast<uint32_t>(machine.command_line.number("receive_buffer", 2048));
        if (receive_size_ > 2048 || receive_size_ <= net::header_size) receive_size_ = 2048;
    }
    receive_buffers_ = machine.arena.take(2048u * most_buffers);
    transmit_buffers_ = machine.arena.take(2048u * most_buffers);
    if (!receive_buffers_ || !transmit_buffers_ ||
        !receive_.setup(device_, machine.arena, 0, most_buffers) ||
        !transmit_.setup(device_, machine.arena, 1, most_buffers)) {
        print("net: no queues\n");
        return false;
    }
    free_count_ = transmit_.size();
    for (uint16_t i = 0; i < free_count_; ++i) free_[i] = i;
    device_.start();
    for (uint16_t i = 0; i < receive_.size(); ++i) post(i);
    receive_.publish();
    return true;
}

void NetDevice::post(uint16_t buffer) {
    receive_.descriptor(buffer) = {receive_buffers_ + 2048u * buffer, receive_size_,
                                   descriptor_write, 0};
    receive_.add(buffer);
}

bool NetDevice::wait_for(UsedElement& element) {
    for (int i = 0; i < 10'000'000; ++i) {
        if (receive_.take(element)) return true;
        relax();
    }
    return false;
}

uint32_t NetDevice::receive(uint64_t frame) {
    UsedElement element;
    if (!receive_.take(element)) return 0;
    uint32_t length = 0;
    bool fits = true;
    uint32_t parts = 1;
    for (uint32_t part = 0; part < parts; ++part) {
        if (part > 0 && !wait_for(element)) return 0;
        const auto buffer = static_cast<uint16_t>(element.id % most_buffers);
        const uint64_t address = receive_buffers_ + 2048u * buffer;
        const uint32_t skip = part == 0 ? net::header_size : 0;
        if (part == 0 && has(net::feature_mergeable)) parts = *at<uint16_t>(address + 10);
        const uint32_t bytes = element.length > skip ? element.length - skip : 0;
        fits = fits && element.length >= skip && element.length <= receive_size_ &&
               length + bytes <= 2048;
        if (fits) copy_bytes(frame + length, address + skip, bytes);
        length += bytes;
        post(buffer);
    }
    if (parts > 1) ++merged_;
    receive_.publish();
    if (!fits) ++dropped_;
    return fits ? length : 0;
}

void NetDevice::collect() {
    UsedElement element;
    while (transmit_.take(element)) {
        if (free_count_ == most_buffers) return;
        free_[free_count_++] = static_cast<uint16_t>(element.id);
        ++sent_;
    }
}

bool NetDevice::send(uint64_t frame, uint32_t length) {
    if (free_count_ == 0) collect();
    if (free_count_ == 0) return false;
    copy_bytes(transmit_buffer(free_[free_count_ - 1]) + net::header_size, frame, length);
    return send_again(length);
}

bool NetDevice::send_again(uint32_t length) {
    if (free_count_ == 0) collect();
    if (free_count_ == 0) return false;
    const uint16_t buffer = free_[--free_count_];
    transmit_.descriptor(buffer) = {transmit_buffer(buffer), net::header_size + length, 0, 0};
    transmit_.add(buffer);
    return true;
}

void NetDevice::publish() {
    if (transmit_.has_unpublished()) transmit_.publish();
}

}  // namespace probe
