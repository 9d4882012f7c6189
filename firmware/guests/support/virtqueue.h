// The driver's side of a split virtqueue (virtio 1.2, 2.7), by polling: it never asks for
// interrupts, and rings the doorbell only when the device asks for it.
#pragma once

#include <cstdint>

#include "support/hardware.h"
#include "support/virtio_device.h"

namespace probe {

struct Descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags;
    uint16_t next;
};
constexpr uint16_t descriptor_next = 1;
constexpr uint16_t descriptor_write = 2;
constexpr uint16_t descriptor_indirect = 4;

struct UsedElement {
    uint32_t id;
    uint32_t length;
};

class Virtqueue {
  public:
    // Sets queue `index` up with at most `size` entries and enables it. False when the device has
    // no such queue or memory is short.
    bool setup(VirtioDevice& device, Arena& arena, uint16_t index, uint16_t size);
    // The same rings again after a reset of the device.
    bool restart(VirtioDevice& device);

    uint16_t size() const { return size_; }
    Descriptor& descriptor(uint16_t index) { return at<Descriptor>(descriptors_)[index]; }

    // Puts `head` into the available ring; the device sees it after publish().
    void add(uint16_t head) {
        at<volatile uint16_t>(available_ + 4)[next_available_++ & mask_] = head;
    }
    // Makes all added chains visible and rings the doorbell if the device wants that.
    void publish();
    bool has_unpublished() const { return next_available_ != published_; }
    void ring() const { mmio_write<uint16_t>(doorbell_, index_); }

    // Takes one completed chain; false when there is none.
    bool take(UsedElement& element);
    // How many chains the device has returned and take() has not yet seen.
    uint16_t ready() const { return static_cast<uint16_t>(used_index() - next_used_); }

    // Raw access for those who break the rules.
    uint64_t descriptors_address() const { return descriptors_; }
    uint64_t available_address() const { return available_; }
    uint64_t used_address() const { return used_; }
    uint64_t doorbell_address() const { return doorbell_; }
    uint16_t used_index() const { return mmio_read<uint16_t>(used_ + 2); }
    uint64_t notifications() const { return notifications_; }

    // Interrupts for every completion (the probe `irq`), or none (the default).
    void want_interrupts(bool wanted);

  private:
    bool enable(VirtioDevice& device);
    void refuse_interrupts();

    uint64_t descriptors_ = 0;
    uint64_t available_ = 0;
    uint64_t used_ = 0;
    uint64_t doorbell_ = 0;
    uint64_t notifications_ = 0;
    uint16_t index_ = 0;
    uint16_t size_ = 0;
    uint16_t mask_ = 0;
    uint16_t next_available_ = 0;
    uint16_t published_ = 0;
    uint16_t next_used_ = 0;
    bool event_index_ = false;
    bool interrupts_ = false;
};

}  // namespace probe
