// virtio-blk, polled: first what is written comes back, then how fast.
//
// test=LIST      of verify, randread_qd1, randread_qd32, randwrite_qd1, randwrite_qd32, read_128k,
//                write_128k; all of them when missing. resize, only when named, waits until the
//                disk has another size
// ms=N           time of each measurement (default 500); ops=N ends it after N requests instead
// region_mib=N   the part of the disk that measurements use (default 256)
// verify_mib=N   the part that verify uses (default 4); seed=N its random choices
// indirect=0, event_index=0, queue_size=N   what the driver negotiates
#include "support/block_device.h"
#include "support/console.h"
#include "verify.h"

namespace probe {
namespace {

struct Measurement {
    const char* name;
    uint32_t type;
    uint32_t bytes;
    uint16_t depth;
    bool random;
};

constexpr Measurement measurements[] = {
    {"randread_qd1", block::read, 4096, 1, true},
    {"randread_qd32", block::read, 4096, 32, true},
    {"randwrite_qd1", block::write, 4096, 1, true},
    {"randwrite_qd32", block::write, 4096, 32, true},
    {"read_128k", block::read, 128 * 1024, 32, false},
    {"write_128k", block::write, 128 * 1024, 32, false},
};

// The stream of requests of one measurement.
class Load {
  public:
    Load(Machine& machine, BlockDevice& disk, const Measurement& what, uint64_t buffers)
        : machine_(machine), disk_(disk), what_(what), buffers_(buffers), random_(1) {
        const uint64_t region = machine.command_line.number("region_mib", 256) << 20;
        const uint64_t size = disk.sectors() * block::sector_size;
        places_ = (region < size ? region : size) / what.bytes;
    }

    // Zero when every request came back well.
    int measure() {
        const uint64_t most = machine_.command_line.number("ops", ~uint64_t{0});
        const bool timed = most == ~uint64_t{0};
        const uint64_t begin = read_tsc();
        const Deadline end(machine_.clock, machine_.command_line.number("ms", 500));
        const uint64_t rung = disk_.queue().notifications();
        uint64_t done = 0;
        for (uint16_t i = 0; i < what_.depth && i < most; ++i) submit(i);
        disk_.publish();
        while (done < submitted_) {
            const uint16_t ready = disk_.queue().ready();
            if (ready == 0) {
                if (stuck(done)) return fail("no answer", done);
                continue;
            }
            const bool more = timed ? !end.passed() : true;
            for (uint16_t i = 0; i < ready; ++i) {
                uint16_t index;
                uint8_t result;
                if (!disk_.take(index, result)) return fail("used index ran back", done);
                if (result != block::ok) return fail("request failed", result);
                ++done;
                if (more && submitted_ < most) submit(index);
            }
            disk_.publish_if_added();
        }
        report(done, machine_.clock.nanoseconds(read_tsc() - begin),
               disk_.queue().notifications() - rung);
        return 0;
    }

  private:
    void submit(uint16_t index) {
        const uint64_t place = what_.random ? random_.below(places_) : submitted_ % places_;
        const Segment segment{buffers_ + uint64_t{index} * what_.bytes, what_.bytes};
        disk_.submit(index, what_.type, place * (what_.bytes / block::sector_size), &segment, 1);
        ++submitted_;
    }

    // Looked at rarely: reading the TSC is not free under every hypervisor.
    bool stuck(uint64_t done) {
        if (++idle_ % (1 << 16) != 0) return false;
        const uint64_t now = read_tsc();
        if (done != last_done_ || last_time_ == 0) {
            last_done_ = done;
            last_time_ = now;
        }
        return now - last_time_ > machine_.clock.ticks_of_milliseconds(10'000);
    }

    int fail(const char* why, uint64_t number) {
        print("FAIL {}: {} ({})\n", what_.name, why, number);
        return 1;
    }

    void report(uint64_t done, uint64_t ns, uint64_t notifications) {
        const uint64_t us = ns / 1000 ? ns / 1000 : 1;
        print("metric {} iops={} ops={} ns={} mib_s={} notifications={}\n", what_.name,
              done * 1'000'000 / us, done, ns, done * what_.bytes / us * 1'000'000 >> 20,
              notifications);
    }

    Machine& machine_;
    BlockDevice& disk_;
    const Measurement& what_;
    uint64_t buffers_;
    Random random_;
    uint64_t places_ = 1;
    uint64_t submitted_ = 0;
    uint64_t idle_ = 0;
    uint64_t last_done_ = 0;
    uint64_t last_time_ = 0;
};

// Prints the size, waits for the device to tell of another one, and prints that.
int await_resize(Machine& machine, BlockDevice& disk) {
    const uint64_t before = disk.sectors();
    const uint8_t generation = disk.device().get<uint8_t>(common::config_generation);
    print("resize from {}\n", before);
    const Deadline deadline(machine.clock, 30'000);
    while (disk.device().get<uint8_t>(common::config_generation) == generation) {
        if (deadline.passed()) {
            print("FAIL resize: the configuration stays as it was\n");
            return 1;
        }
        relax();
    }
    print("resize to {}\n", disk.sectors());
    return 0;
}

}  // namespace

int run(Machine& machine) {
    Pci pci(machine.command_line);
    BlockDevice disk;
    if (!disk.open(machine, pci)) return 1;
    print("blk sectors={} queue={} features={x} tsc_khz={}\n", disk.sectors(), disk.queue().size(),
          disk.device().negotiated(), machine.clock.khz());
    if (machine.command_line.lists("test", "verify", true)) {
        if (const int code = verify(machine, disk)) return code;
    }
    if (machine.command_line.lists("test", "resize", false)) {
        if (const int code = await_resize(machine, disk)) return code;
    }
    const uint64_t buffers = machine.arena.take(BlockDevice::slots * 128 * 1024);
    if (buffers == 0) {
        print("FAIL blk: not enough memory\n");
        return 1;
    }
    for (const Measurement& what : measurements) {
        if (!machine.command_line.lists("test", what.name, true)) continue;
        if (const int code = Load(machine, disk, what, buffers).measure()) return code;
    }
    print("blk done\n");
    return 0;
}

}  // namespace probe
