#include "support/virtqueue.h"

namespace probe {
namespace {

constexpr uint16_t no_interrupt = 1;
constexpr uint16_t no_notify = 1;

}  // namespace

bool Virtqueue::setup(VirtioDevice& device, Arena& arena, uint16_t index, uint16_t size) {
    index_ = index;
    device.set<uint16_t>(common::queue_select, index);
    const uint16_t largest = device.get<uint16_t>(common::queue_size);
    size_ = size < largest ? size : largest;
    if (size_ == 0) return false;
    mask_ = static_cast<uint16_t>(size_ - 1);
    descriptors_ = arena.take(16u * size_);
    available_ = arena.take(6u + 2u * size_, 64);
    used_ = arena.take(6u + 8u * size_, 64);
    return descriptors_ && available_ && used_ && enable(device);
}

bool Virtqueue::restart(VirtioDevice& device) {
    fill_bytes(descriptors_, 0, 16u * size_);
    fill_bytes(available_, 0, 6u + 2u * size_);
    fill_bytes(used_, 0, 6u + 8u * size_);
    return enable(device);
}

bool Virtqueue::enable(VirtioDevice& device) {
    next_available_ = published_ = next_used_ = 0;
    event_index_ = device.has(feature::event_index);
    want_interrupts(interrupts_);
    device.set<uint16_t>(common::queue_select, index_);
    device.set<uint16_t>(common::queue_size, size_);
    device.set_address(common::queue_descriptors, descriptors_);
    device.set_address(common::queue_available, available_);
    device.set_address(common::queue_used, used_);
    doorbell_ = device.doorbell();
    device.set<uint16_t>(common::queue_enable, 1);
    return device.get<uint16_t>(common::queue_enable) == 1;
}

void Virtqueue::want_interrupts(bool wanted) {
    interrupts_ = wanted;
    mmio_write<uint16_t>(available_, wanted || event_index_ ? uint16_t{0} : no_interrupt);
    refuse_interrupts();
}

void Virtqueue::refuse_interrupts() {
    // used_event behind the ring: an interrupt is due when the used index passes it. One step
    // behind is half a turn of 2^16 away; the present index asks for the next completion.
    const uint16_t event = interrupts_ ? next_used_ : static_cast<uint16_t>(next_used_ - 1);
    mmio_write<uint16_t>(available_ + 4 + 2u * size_, event);
}

void Virtqueue::publish() {
    const uint16_t before = published_;
    published_ = next_available_;
    compiler_barrier();
    mmio_write<uint16_t>(available_ + 2, published_);
    full_barrier();
    bool wanted;
    if (event_index_) {
        const auto event = mmio_read<uint16_t>(used_ + 4 + 8u * size_);
        wanted = static_cast<uint16_t>(published_ - event - 1) <
                 static_cast<uint16_t>(published_ - before);
    } else {
        wanted = !(mmio_read<uint16_t>(used_) & no_notify);
    }
    if (!wanted) return;
    ++notifications_;
    ring();
}

bool Virtqueue::take(UsedElement& element) {
    if (used_index() == next_used_) return false;
    compiler_barrier();
    const uint64_t slot = used_ + 4 + 8u * (next_used_ & mask_);
    element = {mmio_read<uint32_t>(slot), mmio_read<uint32_t>(slot + 4)};
    ++next_used_;
    if (event_index_) refuse_interrupts();
    return true;
}

}  // namespace probe
