// The same for devices without cases of their own: random chains on all their queues, a little of
// what they might believe in them, and a reset that has to work.
#include "hostile/hostile.h"

namespace probe {
namespace {

constexpr uint64_t beyond_memory = uint64_t{1} << 40;
constexpr uint32_t room_size = 128 * 1024;
constexpr uint16_t queue_size = 32;
constexpr uint16_t most_queues = 5;
constexpr uint64_t most_rounds = 60;

struct Companion {
    const char* name;
    uint16_t id;
};
constexpr uint16_t vsock_id = 0x1053;
constexpr Companion companions[] = {
    {"rng_garbage", 0x1044}, {"balloon_garbage", 0x1045}, {"vsock_garbage", vsock_id}};

class Attack {
  public:
    Attack(Machine& machine, VirtioDevice& device, uint16_t id, uint64_t room)
        : machine_(machine),
          device_(device),
          id_(id),
          random_(machine.command_line.number("seed", 1)),
          room_(room) {}

    // Why it failed, or null.
    const char* run() {
        for (uint32_t at_room = 0; at_room < room_size; at_room += 64) fill_pages(at_room);
        for (uint64_t round = 0; round < most_rounds; ++round) {
            if (!device_.negotiate(machine_.clock,
                                   random_.below(4) ? ~uint64_t{0} : random_.next()))
                return "the device refused to begin";
            if (!open_queues(round)) return "a queue could not be set up";
            device_.start();
            for (unsigned step = 0; step < 16; ++step) offend(queues_[random_.below(count_)]);
            if (device_.device_address()) write_configuration();
        }
        return device_.reset(machine_.clock) ? nullptr : "reset never finished";
    }

  private:
    bool open_queues(uint64_t round) {
        count_ = device_.get<uint16_t>(common::queue_count);
        if (count_ == 0 || count_ > most_queues) return false;
        for (uint16_t i = 0; i < count_; ++i) {
            const bool open = round == 0 ? queues_[i].setup(device_, machine_.arena, i, queue_size)
                                         : queues_[i].restart(device_);
            if (!open) return false;
        }
        return true;
    }

    void offend(Virtqueue& queue) {
        fill_room();
        const auto first = static_cast<uint16_t>(random_.below(queue.size()));
        const auto pieces = static_cast<uint16_t>(1 + random_.below(4));
        bool writes = random_.below(2);
        for (uint16_t i = 0; i < pieces; ++i) {
            const auto index = static_cast<uint16_t>((first + i) % queue.size());
            uint16_t flags = writes ? descriptor_write : uint16_t{0};
            if (i + 1 < pieces) flags |= descriptor_next;
            if (random_.below(32) == 0) flags = static_cast<uint16_t>(random_.next() & 3);
            queue.descriptor(index) = {address(), length(), flags,
                                       static_cast<uint16_t>((index + 1) % queue.size())};
            if (!writes) writes = random_.below(3) == 0;
        }
        queue.add(first);
        queue.publish();
        queue.ring();
    }

    // A balloon gives away what it is told, so nothing but the room is ever named, and numbers are
    // read whole.
    uint64_t address() {
        if (random_.below(16) == 0) return beyond_memory + random_.next() % room_size;
        const uint64_t grain = id_ == vsock_id ? 64 : 4;
        return room_ + random_.below(room_size / 2 / grain) * grain;
    }
    uint32_t length() {
        if (random_.below(16) == 0) return static_cast<uint32_t>(random_.next()) & 0x3f;
        return static_cast<uint32_t>(random_.below(room_size / 2));
    }

    // Numbers of pages: of the room, or of no memory.
    void fill_pages(uint32_t at_room) {
        for (uint32_t i = 0; i < 16; ++i) {
            const auto page = random_.below(2) ? (room_ >> 12) + random_.below(room_size >> 12)
                                               : 0x40000000 + random_.below(1 << 20);
            at<uint32_t>(room_ + at_room)[i] = static_cast<uint32_t>(page);
        }
    }

    // A packet of the guest to its host, to be found only where there is no balloon to believe it.
    void fill_room() {
        const auto at_room = static_cast<uint32_t>(random_.below(room_size / 128)) * 64;
        fill_pages(at_room);
        if (id_ != vsock_id || random_.below(2)) return;
        const uint64_t header = room_ + at_room;
        at<uint64_t>(header)[0] = 3;
        at<uint64_t>(header)[1] = 2;
        at<uint32_t>(header)[4] = static_cast<uint32_t>(random_.below(4));
        at<uint32_t>(header)[5] = static_cast<uint32_t>(random_.below(4));
        at<uint32_t>(header)[6] = length();
        at<uint32_t>(header)[7] = 1 | static_cast<uint32_t>(random_.below(9)) << 16;
        at<uint32_t>(header)[8] = static_cast<uint32_t>(random_.below(4));
    }

    void write_configuration() {
        const auto offset = static_cast<uint32_t>(random_.below(64)) & ~3u;
        mmio_write<uint32_t>(device_.device_address() + offset,
                             static_cast<uint32_t>(random_.next()));
    }

    Machine& machine_;
    VirtioDevice& device_;
    uint16_t id_;
    Random random_;
    uint64_t room_;
    uint16_t count_ = 0;
    Virtqueue queues_[most_queues];
};

}  // namespace

uint32_t run_companion_cases(Machine& machine, Pci& pci, uint32_t& failures) {
    uint32_t count = 0;
    uint64_t room = 0;
    for (const Companion& one : companions) {
        PciFunction function;
        if (!machine.command_line.lists("case", one.name, true)) continue;
        if (!pci.find(virtio_vendor, one.id, 0, function)) continue;
        ++count;
        if (!room) room = machine.arena.take(room_size);
        VirtioDevice device;
        const char* why = nullptr;
        if (!room || !device.attach(pci, one.id)) {
            why = "no working device to begin with";
        } else {
            why = Attack(machine, device, one.id, room).run();
        }
        if (why) {
            ++failures;
            print("case {} FAIL {}\n", one.name, why);
        } else {
            print("case {} ok\n", one.name);
        }
    }
    return count;
}

}  // namespace probe
