#pragma once

// Why: the three areas of a split virtqueue (virtio 1.2, sections 2.7.5 to 2.7.8) as the device
// touches them: host addresses resolved once, indices read and written with the barriers that the
// race with the driver needs.

#include "base/result.h"
#include "vmm/guest_memory.h"

namespace sheaf::virtio {

// Where the driver put a queue, and what was negotiated for it.
struct QueueSetup {
    std::uint16_t index = 0;
    std::uint16_t size = 0;
    Gpa descriptors;
    Gpa driver_area;  // available ring
    Gpa device_area;  // used ring
    bool event_index = false;
    bool indirect = false;
};

struct Descriptor {
    std::uint64_t address = 0;
    std::uint32_t length = 0;
    std::uint16_t flags = 0;
    std::uint16_t next = 0;

    bool has_next() const { return (flags & 1) != 0; }
    bool device_writes() const { return (flags & 2) != 0; }
    bool is_indirect() const { return (flags & 4) != 0; }
};
static_assert(sizeof(Descriptor) == 16 && WireStruct<Descriptor>);

// Whether a step from `before` to `after` passes what the other side waits for, that is whether
// entry number `event` is one of `before` to `after - 1` (section 2.7.7.2).
constexpr bool passes_event(std::uint16_t event, std::uint16_t before, std::uint16_t after) {
    return static_cast<std::uint16_t>(after - event - 1) <
           static_cast<std::uint16_t>(after - before);
}

class Ring {
  public:
    // Fails with invalid where the size is no power of two up to 32768, or an area is misaligned or
    // not within one region of memory.
    static Result<Ring> create(const QueueSetup& setup, const vmm::GuestMemory& memory);

    // The descriptor table itself.
    std::span<const std::byte> descriptors() const { return descriptors_; }

    // How many chains the driver has offered so far, modulo 65536. What it wrote before is visible.
    std::uint16_t available_index() const;
    std::uint16_t available_head(std::uint16_t position) const;
    // Asks the driver to ring once it has offered more than `index` chains; look again afterwards.
    void ask_for_doorbell(std::uint16_t index) const;
    // The driver need not ring for now. A hint.
    void decline_doorbells() const;

    void put_used(std::uint16_t position, std::uint16_t head, std::uint32_t written) const;
    void publish_used(std::uint16_t index) const;
    // Whether the driver wants an interrupt for the step from `before` to `after`, just published.
    bool wants_interrupt(std::uint16_t before, std::uint16_t after) const;

  private:
    std::span<std::byte> descriptors_;
    std::span<std::byte> available_;
    std::span<std::byte> used_;
    std::uint16_t size_ = 0;
    bool event_index_ = false;
};

}  // namespace sheaf::virtio
