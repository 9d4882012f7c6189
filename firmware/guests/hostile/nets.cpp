// The same for a network card: its control queue, its headers and its receive buffers.
#include "hostile/hostile.h"
#include "support/net_device.h"

namespace probe {
namespace {

constexpr uint64_t beyond_memory = uint64_t{1} << 40;
constexpr uint64_t offloads = 1 | 1 << 1 | 1 << 11 | 1 << 12;  // CSUM, GUEST_CSUM, HOST_TSO4/6
constexpr uint64_t multi_queue = uint64_t{1} << 22;

struct NetCase {
    const char* name;
    uint16_t queue;  // 0 receive, 1 transmit, 2 control
    Piece pieces[4];
    uint16_t count;
    uint8_t bytes[24];  // what the first piece points to
};

constexpr uint64_t own = 0;  // stands for the scratch page

const NetCase cases[] = {
    {"net_transmit_without_header", 1, {{own, 4}}, 1, {}},
    {"net_transmit_header_alone", 1, {{own, 12}}, 1, {}},
    {"net_transmit_one_byte", 1, {{own, 13}}, 1, {}},
    {"net_transmit_nothing", 1, {{own, 0}}, 1, {}},
    {"net_transmit_huge", 1, {{own, 0xffffffff}}, 1, {}},
    {"net_transmit_beyond_memory", 1, {{own, 12}, {beyond_memory, 100}}, 2, {}},
    {"net_transmit_writable", 1, {{own, 100, descriptor_write}}, 1, {}},
    {"net_transmit_unknown_gso", 1, {{own, 200}}, 1, {0, 0x77, 0xff, 0xff, 0xff, 0xff}},
    {"net_transmit_checksum_outside",
     1,
     {{own, 200}},
     1,
     {1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}},
    {"net_transmit_gso_of_zero", 1, {{own, 2000}}, 1, {1, 1, 54, 0, 0, 0, 34, 0, 16, 0}},
    {"net_transmit_too_long", 1, {{own, 4096}, {own, 65536}, {own, 65536}}, 3, {}},
    {"net_receive_tiny", 0, {{own, 1, descriptor_write}}, 1, {}},
    {"net_receive_nothing", 0, {{own, 0, descriptor_write}}, 1, {}},
    {"net_receive_readable", 0, {{own, 2048}}, 1, {}},
    {"net_receive_beyond_memory", 0, {{beyond_memory, 2048, descriptor_write}}, 1, {}},
    {"net_control_nothing", 2, {{own, 0}}, 1, {}},
    {"net_control_one_byte", 2, {{own, 1}}, 1, {1}},
    {"net_control_without_answer", 2, {{own, 2}, {own, 6}}, 2, {0, 0}},
    {"net_control_unknown",
     2,
     {{own, 2}, {own + 2, 8}, {own + 64, 1, descriptor_write}},
     3,
     {99, 99}},
    {"net_control_readable_answer", 2, {{own, 2}, {own + 2, 1}, {own + 64, 1}}, 3, {0, 0, 1}},
    {"net_control_answer_beyond",
     2,
     {{own, 2}, {own + 2, 1}, {beyond_memory, 1, descriptor_write}},
     3,
     {0, 0, 1}},
    {"net_control_mac_table_huge",
     2,
     {{own, 2}, {own + 2, 12}, {own + 64, 1, descriptor_write}},
     3,
     {1, 0, 0xff, 0xff, 0xff, 0xff}},
    {"net_control_mac_short",
     2,
     {{own, 2}, {own + 2, 3}, {own + 64, 1, descriptor_write}},
     3,
     {1, 1, 2}},
    {"net_control_pairs_zero",
     2,
     {{own, 2}, {own + 2, 2}, {own + 64, 1, descriptor_write}},
     3,
     {4, 0, 0, 0}},
    {"net_control_pairs_many",
     2,
     {{own, 2}, {own + 2, 2}, {own + 64, 1, descriptor_write}},
     3,
     {4, 0, 0xff, 0xff}},
    {"net_control_offloads_all",
     2,
     {{own, 2}, {own + 2, 8}, {own + 64, 1, descriptor_write}},
     3,
     {5, 0, 255, 255, 255, 255, 255, 255, 255, 255}},
    {"net_control_vlan",
     2,
     {{own, 2}, {own + 2, 2}, {own + 64, 1, descriptor_write}},
     3,
     {2, 0, 0xff, 0xff}},
};

class NetHostile {
  public:
    NetHostile(Machine& machine, Pci& pci) : machine_(machine), pci_(pci) {}

    bool open() {
        page_ = machine_.arena.take(128 * 1024 + 4096);
        return page_ && device_.attach(pci_, virtio_net_id) && start(true);
    }

    // Null, or why it failed.
    const char* run(const NetCase& one) {
        if (one.queue == 2 && !control_) return nullptr;
        fill_bytes(page_, 0, 4096);
        for (uint32_t i = 0; i < sizeof(one.bytes); ++i) at<uint8_t>(page_)[i] = one.bytes[i];
        Virtqueue& queue = queues_[one.queue];
        for (uint16_t i = 0; i < one.count; ++i) {
            Piece piece = one.pieces[i];
            if (piece.address < 4096) piece.address += page_;
            const bool last = i + 1 == one.count;
            queue.descriptor(i) = {
                piece.address, piece.length,
                static_cast<uint16_t>(piece.flags | (last ? uint16_t{0} : descriptor_next)),
                static_cast<uint16_t>(i + 1)};
        }
        const uint16_t before = queue.used_index();
        queue.add(0);
        queue.publish();
        queue.ring();
        const Deadline deadline(machine_.clock, one.queue == 0 ? 20 : 200);
        while (!deadline.passed() && queue.used_index() == before && !marked()) relax();
        const bool sends = marked() || transmits();
        if (!start(false)) return "reset did not recover the device";
        if (!sends) return "neither working nor marked";
        return transmits() ? nullptr : "does not transmit after the reset";
    }

    bool marked() const { return device_.get_status() & status::needs_reset; }

  private:
    bool start(bool first) {
        const uint64_t wanted = net::feature_control | multi_queue | offloads;
        if (!device_.negotiate(machine_.clock, wanted)) return false;
        // The control queue is behind the last pair.
        const bool pairs = device_.has(multi_queue);
        const auto control = static_cast<uint16_t>(pairs ? device_.config<uint16_t>(8) * 2u : 2u);
        control_ = device_.has(net::feature_control);
        for (uint16_t i = 0; i < 3; ++i) {
            if (i == 2 && !control_) break;
            const auto index = i == 2 ? control : i;
            const bool ready = first ? queues_[i].setup(device_, machine_.arena, index, 64)
                                     : queues_[i].restart(device_);
            if (!ready) return false;
        }
        device_.start();
        return true;
    }

    // A good frame is taken.
    bool transmits() {
        Virtqueue& queue = queues_[1];
        const uint64_t frame = page_ + 8192;
        fill_bytes(frame, 0, 128);
        fill_bytes(frame + 12, 0xff, 6);
        at<uint8_t>(frame)[12 + 12] = 0x88;
        at<uint8_t>(frame)[12 + 13] = 0xb5;
        queue.descriptor(32) = {frame, 12 + 64, 0, 0};
        queue.add(32);
        queue.publish();
        queue.ring();
        const Deadline deadline(machine_.clock, 2000);
        UsedElement element;
        while (!deadline.passed()) {
            while (queue.take(element)) {
                if (element.id == 32) return true;
            }
            if (marked()) return true;
        }
        return false;
    }

    Machine& machine_;
    Pci& pci_;
    VirtioDevice device_;
    Virtqueue queues_[3];
    uint64_t page_ = 0;
    bool control_ = false;
};

}  // namespace

uint32_t run_net_cases(Machine& machine, Pci& pci, uint32_t& failures) {
    PciFunction function;
    if (!pci.find(virtio_vendor, virtio_net_id, 0, function)) return 0;
    NetHostile card(machine, pci);
    if (!card.open()) {
        print("case net_open FAIL no working card to begin with\n");
        ++failures;
        return 1;
    }
    uint32_t count = 0;
    for (const NetCase& one : cases) {
        if (!machine.command_line.lists("case", one.name, true)) continue;
        ++count;
        const char* why = card.run(one);
        if (why) ++failures;
        if (why) {
            print("case {} FAIL {}\n", one.name, why);
        } else {
            print("case {} ok\n", one.name);
        }
    }
    return count;
}

}  // namespace probe
