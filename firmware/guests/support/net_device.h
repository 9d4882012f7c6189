// A polling virtio-net driver (virtio 1.2, 5.1) over the first pair of queues, without offloads.
#pragma once

#include <cstdint>

#include "support/virtio_device.h"
#include "support/virtqueue.h"

namespace probe {

namespace net {
constexpr uint64_t feature_mac = uint64_t{1} << 5;
constexpr uint64_t feature_mergeable = uint64_t{1} << 15;
constexpr uint64_t feature_status = uint64_t{1} << 16;
constexpr uint64_t feature_control = uint64_t{1} << 17;
constexpr uint32_t header_size = 12;
constexpr uint32_t largest_frame = 1514;
}  // namespace net

class NetDevice {
  public:
    static constexpr uint16_t most_buffers = 128;

    // Finds, negotiates and starts card `index`; `features` are wanted beside the basic ones. With
    // mergeable buffers each receive buffer has `receive_buffer=` bytes (default 2048), else a
    // whole frame's. False, with a line on the console, when it cannot.
    bool open(Machine& machine, Pci& pci, uint64_t features, uint32_t index = 0);

    const uint8_t* mac() const { return mac_; }
    bool has(uint64_t features) const { return device_.has(features); }

    // Takes one frame, joined from its buffers, into `frame` (2 KiB). Its length, zero when there
    // is none. Frames that do not fit are dropped and counted.
    uint32_t receive(uint64_t frame);
    // Queues one frame, which is copied; false when all buffers are on their way.
    bool send(uint64_t frame, uint32_t length);
    // Queues what the buffer holds from the last time, for measuring the device and not the copy.
    bool send_again(uint32_t length);
    void publish();
    // Frames that the device has taken.
    uint64_t sent() { return collect(), sent_; }
    uint64_t merged() const { return merged_; }
    uint64_t dropped() const { return dropped_; }

    VirtioDevice& device() { return device_; }
    Virtqueue& transmit_queue() { return transmit_; }

  private:
    void post(uint16_t buffer);
    void collect();
    bool wait_for(UsedElement& element);
    uint64_t transmit_buffer(uint16_t index) const { return transmit_buffers_ + 2048u * index; }

    VirtioDevice device_;
    Virtqueue receive_;
    Virtqueue transmit_;
    uint64_t receive_buffers_ = 0;
    uint64_t transmit_buffers_ = 0;
    uint32_t receive_size_ = 2048;
    uint64_t sent_ = 0;
    uint64_t merged_ = 0;
    uint64_t dropped_ = 0;
    uint16_t free_[most_buffers] = {};
    uint16_t free_count_ = 0;
    uint8_t mac_[6] = {};
};

}  // namespace probe
