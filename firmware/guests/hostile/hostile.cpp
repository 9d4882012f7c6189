#include "hostile/hostile.h"

namespace probe {
namespace {

constexpr uint32_t guard_size = 4096;
constexpr uint32_t buffer_size = 128 * 1024;
constexpr uint32_t canary_bytes = 4096;
constexpr uint16_t good_slot = 31;
constexpr uint8_t guard_byte = 0x5a;

uint8_t canary(uint32_t at) {
    return static_cast<uint8_t>(at * 7 + at / 256 + 1);
}

}  // namespace

bool Hostile::open() {
    if (!disk_.open(machine_, pci_)) return false;
    Arena& arena = machine_.arena;
    guard_ = arena.take(guard_size + buffer_size + guard_size);
    buffer_ = guard_ + guard_size;
    table_ = arena.take(4096);
    header_ = arena.take(4096);
    status_ = header_ + 2048;
    good_ = arena.take(canary_bytes);
    if (!good_) return false;
    fill_guards();
    for (uint32_t i = 0; i < canary_bytes; ++i) at<uint8_t>(good_)[i] = canary(i);
    const Segment segment{good_, canary_bytes};
    if (disk_.run(machine_.clock, block::write, 0, segment) != block::ok) return false;
    for (uint32_t i = 0; i < 64; ++i) {
        config_[i] = pci_.read<uint32_t>(device().function(), i * 4);
    }
    return good_read();
}

void Hostile::fill_guards() {
    fill_bytes(guard_, guard_byte, guard_size);
    fill_bytes(buffer_ + buffer_size, guard_byte, guard_size);
}

bool Hostile::guards_are_whole() const {
    for (uint32_t i = 0; i < guard_size; ++i) {
        if (at<uint8_t>(guard_)[i] != guard_byte) return false;
        if (at<uint8_t>(buffer_ + buffer_size)[i] != guard_byte) return false;
    }
    return true;
}

void Hostile::run(const Case& one) {
    if (!machine_.command_line.lists("case", one.name, true)) return;
    if (machine_.command_line.lists("skip", one.name, false)) return;
    ++cases_;
    why_ = nullptr;
    if (machine_.command_line.flag("trace", false)) print("start {}\n", one.name);
    *at<uint8_t>(status_) = block::pending;
    one.run(*this);
    const char* state = judge();
    if (!why_) return print("case {} ok ({})\n", one.name, state);
    ++failures_;
    print("case {} FAIL {} ({})\n", one.name, why_, state);
}

const char* Hostile::judge() {
    const char* state = live();
    if (!disk_.restart(machine_.clock)) {
        fail("reset did not recover the device");
        restore_pci();
        if (!disk_.restart(machine_.clock)) return "lost";
        return state;
    }
    require(good_read(), "no right data after the reset");
    require(guards_are_whole(), "memory beside the buffer was written");
    fill_guards();
    return state;
}

// Offers one good request to the device as the case left it.
const char* Hostile::live() {
    const uint8_t before = device().get_status();
    if (before & status::needs_reset) return "marked";
    device().set<uint16_t>(common::queue_select, 0);
    const bool enabled = device().get<uint16_t>(common::queue_enable) == 1;
    if (!(before & status::driver_ok) || !enabled) return "stopped";
    fill_bytes(good_, 0, canary_bytes);
    const Segment segment{good_, canary_bytes};
    disk_.submit(good_slot, block::read, 0, &segment, 1);
    disk_.publish();
    queue().ring();
    const Deadline deadline(machine_.clock, 2000);
    while (!deadline.passed()) {
        uint16_t slot;
        uint8_t result;
        while (disk_.take(slot, result)) {
            if (slot != good_slot) continue;
            require(result == block::ok, "a good request failed afterwards");
            return "working";
        }
        if (device().get_status() & status::needs_reset) return "marked";
    }
    fail("neither working nor marked");
    return "stuck";
}

bool Hostile::good_read() {
    fill_bytes(good_, 0, canary_bytes);
    const Segment segment{good_, canary_bytes};
    if (disk_.run(machine_.clock, block::read, 0, segment) != block::ok) return false;
    for (uint32_t i = 0; i < canary_bytes; ++i) {
        if (at<uint8_t>(good_)[i] != canary(i)) return false;
    }
    return true;
}

Piece Hostile::header(uint32_t type, uint64_t sector) {
    *at<uint32_t>(header_) = type;
    *at<uint32_t>(header_ + 4) = 0;
    *at<uint64_t>(header_ + 8) = sector;
    return {header_, 16, 0};
}

void Hostile::link(uint64_t table, const Piece* pieces, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        const bool last = i + 1 == count;
        const auto flags =
            static_cast<uint16_t>(pieces[i].flags | (last ? uint16_t{0} : descriptor_next));
        at<Descriptor>(table)[i] = {pieces[i].address, pieces[i].length, flags,
                                    static_cast<uint16_t>(last ? 0 : i + 1)};
    }
}

void Hostile::go() {
    const uint16_t before = queue().used_index();
    queue().publish();
    queue().ring();
    const Deadline deadline(machine_.clock, 500);
    while (!deadline.passed()) {
        if (queue().used_index() != before) return;
        if (device().get_status() & status::needs_reset) return;
    }
}

void Hostile::reset_to_driver() {
    require(device().reset(machine_.clock), "reset never finished");
    device().set_status(status::acknowledge);
    device().set_status(status::acknowledge | status::driver);
}

void Hostile::reset_to_features() {
    require(device().negotiate(machine_.clock, device().negotiated()), "features refused");
}

void Hostile::restore_pci() {
    const PciFunction function = device().function();
    pci_.write<uint16_t>(function, 4, 0);
    for (uint32_t i = 4; i < 64; ++i) {
        const bool is_capability_data = i >= 16;
        if (!is_capability_data) pci_.write<uint32_t>(function, i * 4, config_[i]);
    }
    if (const uint8_t msix = pci_.next_capability(function, 0x11, 0)) {
        pci_.write<uint16_t>(function, msix + 2u, 0);
    }
    pci_.write<uint16_t>(function, 4, static_cast<uint16_t>(config_[1]));
    for (uint32_t i = 4; i < 10; ++i) {
        require(pci_.read<uint32_t>(function, i * 4) == config_[i], "a BAR did not come back");
    }
    require(device().attach(pci_, virtio_blk_id), "the device did not come back");
}

// seed=N fuzz=N case=LIST trace=1: see README.md.
int run(Machine& machine) {
    Pci pci(machine.command_line);
    Hostile hostile(machine, pci);
    if (!hostile.open()) {
        print("FAIL hostile: no working disk to begin with\n");
        return 1;
    }
    run_ring_cases(hostile);
    run_request_cases(hostile);
    run_register_cases(hostile);
    run_queue_cases(hostile);
    run_pci_cases(hostile);
    run_platform_cases(hostile);
    run_fuzz_cases(hostile);
    uint32_t failures = hostile.failures();
    uint32_t cases = hostile.cases() + run_net_cases(machine, pci, failures);
    cases += run_companion_cases(machine, pci, failures);
    print("hostile done {} cases {} failures\n", cases, failures);
    return failures == 0 ? 0 : 1;
}

}  // namespace probe
