// A polling virtio-blk driver (virtio 1.2, 5.2) over one queue. A request lives in a slot: its
// header, its status byte and its descriptors.
#pragma once

#include <cstdint>

#include "support/virtio_device.h"
#include "support/virtqueue.h"

namespace probe {

namespace block {
constexpr uint64_t feature_segment_max = uint64_t{1} << 2;
constexpr uint64_t feature_read_only = uint64_t{1} << 5;
constexpr uint64_t feature_block_size = uint64_t{1} << 6;
constexpr uint64_t feature_flush = uint64_t{1} << 9;
constexpr uint64_t feature_discard = uint64_t{1} << 13;
constexpr uint64_t feature_write_zeroes = uint64_t{1} << 14;

constexpr uint32_t read = 0;
constexpr uint32_t write = 1;
constexpr uint32_t flush = 4;
constexpr uint32_t get_id = 8;
constexpr uint32_t discard = 11;
constexpr uint32_t write_zeroes = 13;

constexpr uint8_t ok = 0;
constexpr uint8_t failed = 1;
constexpr uint8_t unsupported = 2;
constexpr uint8_t pending = 0xff;

constexpr uint32_t sector_size = 512;
}  // namespace block

// A piece of guest memory that a request reads or writes.
struct Segment {
    uint64_t address;
    uint32_t length;
};

class BlockDevice {
  public:
    static constexpr uint16_t slots = 32;
    static constexpr uint16_t most_segments = 8;

    // Finds, negotiates and starts disk `index`. False, with a line on the console, when it cannot.
    bool open(Machine& machine, Pci& pci, uint32_t index = 0);
    // Resets the device and starts it again with the same features and queue.
    bool restart(const Clock& clock);

    uint64_t sectors() const { return device_.config<uint64_t>(0); }
    bool has(uint64_t features) const { return device_.has(features); }

    // Fills `slot` and adds it to the ring; the device sees it after publish(). `type` decides the
    // direction: everything but read and get_id is read by the device.
    void submit(uint16_t slot, uint32_t type, uint64_t sector, const Segment* segments,
                uint16_t count);
    void publish() { queue_.publish(); }
    void publish_if_added() {
        if (queue_.has_unpublished()) queue_.publish();
    }
    // Takes one completed request: its slot and its status. False when there is none.
    bool take(uint16_t& slot, uint8_t& request_status);
    // One request, waited for. Its status, or block::pending after a time without an answer.
    uint8_t run(const Clock& clock, uint32_t type, uint64_t sector, Segment segment);

    VirtioDevice& device() { return device_; }
    Virtqueue& queue() { return queue_; }

  private:
    struct Header {
        uint32_t type;
        uint32_t reserved;
        uint64_t sector;
    };
    // What one slot owns, with the descriptors when they are indirect.
    struct alignas(64) Slot {
        Descriptor table[most_segments + 2];
        Header header;
        uint8_t status;
    };

    Slot& slot(uint16_t index) { return at<Slot>(slots_)[index]; }

    VirtioDevice device_;
    Virtqueue queue_;
    uint64_t slots_ = 0;
    uint64_t wanted_ = 0;
    uint16_t stride_ = 0;  // direct descriptors of one slot
};

}  // namespace probe
