#include "support/block_device.h"

#include "support/console.h"

namespace probe {
namespace {

constexpr uint64_t patience_ms = 5000;

}  // namespace

bool BlockDevice::open(Machine& machine, Pci& pci, uint32_t index) {
    if (!device_.attach(pci, virtio_blk_id, index)) return false;
    wanted_ = block::feature_segment_max | block::feature_read_only | block::feature_block_size |
              block::feature_flush | block::feature_discard | block::feature_write_zeroes;
    if (machine.command_line.flag("indirect", true)) wanted_ |= feature::indirect;
    if (machine.command_line.flag("event_index", true)) wanted_ |= feature::event_index;
    if (!device_.negotiate(machine.clock, wanted_)) {
        print("blk: features refused, status {x}\n", device_.get_status());
        return false;
    }
    slots_ = machine.arena.take(sizeof(Slot) * slots);
    const auto size = static_cast<uint16_t>(machine.command_line.number("queue_size", 256));
    if (!slots_ || !queue_.setup(device_, machine.arena, 0, size)) {
        print("blk: no queue\n");
        return false;
    }
    stride_ = queue_.size() / slots;
    if (!device_.has(feature::indirect) && stride_ < 3) {
        print("blk: a queue of {} is too small\n", queue_.size());
        return false;
    }
    device_.start();
    return true;
}

bool BlockDevice::restart(const Clock& clock) {
    if (!device_.negotiate(clock, wanted_) || !queue_.restart(device_)) return false;
    device_.start();
    return true;
}

void BlockDevice::submit(uint16_t index, uint32_t type, uint64_t sector, const Segment* segments,
                         uint16_t count) {
    Slot& own = slot(index);
    own.header = {type, 0, sector};
    own.status = block::pending;
    const bool indirect = device_.has(feature::indirect);
    const auto base = static_cast<uint16_t>(indirect ? 0 : index * stride_);
    Descriptor* const table = indirect ? own.table : &queue_.descriptor(base);
    const uint16_t direction =
        type == block::read || type == block::get_id ? descriptor_write : uint16_t{0};
    uint16_t next = 0;
    const auto link = [&] { return static_cast<uint16_t>(base + ++next); };
    table[0] = {address_of(&own.header), sizeof(Header), descriptor_next, link()};
    for (uint16_t i = 0; i < count; ++i) {
        const auto flags = static_cast<uint16_t>(descriptor_next | direction);
        table[i + 1] = {segments[i].address, segments[i].length, flags, link()};
    }
    table[next] = {address_of(&own.status), 1, descriptor_write, 0};
    if (!indirect) return queue_.add(base);
    queue_.descriptor(index) = {address_of(table), (next + 1u) * uint32_t{sizeof(Descriptor)},
                                descriptor_indirect, 0};
    queue_.add(index);
}

bool BlockDevice::take(uint16_t& index, uint8_t& request_status) {
    UsedElement element;
    if (!queue_.take(element)) return false;
    const uint32_t head = element.id;
    index = static_cast<uint16_t>(device_.has(feature::indirect) ? head : head / stride_);
    request_status = index < slots ? slot(index).status : block::pending;
    return true;
}

uint8_t BlockDevice::run(const Clock& clock, uint32_t type, uint64_t sector, Segment segment) {
    submit(0, type, sector, &segment, segment.length == 0 ? 0 : 1);
    publish();
    const Deadline deadline(clock, patience_ms);
    uint16_t index;
    uint8_t result;
    while (!take(index, result)) {
        if (deadline.passed()) return block::pending;
        relax();
    }
    return result;
}

}  // namespace probe
