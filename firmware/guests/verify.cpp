#include "verify.h"

#include "support/console.h"

namespace probe {
namespace {

constexpr uint32_t most_sectors = 256;  // of one request: 128 KiB
constexpr uint32_t words_per_sector = block::sector_size / sizeof(uint64_t);
constexpr uint64_t slot_bytes = most_sectors * block::sector_size + 4096;

uint64_t pattern(uint64_t sector, uint32_t generation, uint32_t word) {
    uint64_t value = sector << 32 ^ uint64_t { generation } << 8 ^ word;
    value ^= value >> 31;
    value *= 0x9e3779b97f4a7c15;
    return value ^ value >> 29;
}

// The range of sectors one slot is working on.
struct Work {
    uint64_t sector = 0;
    uint32_t count = 0;
    uint64_t buffer = 0;
    bool busy = false;
};

class Verification {
  public:
    Verification(Machine& machine, BlockDevice& disk)
        : machine_(machine), disk_(disk), random_(machine.command_line.number("seed", 1)) {
        sectors_ = machine.command_line.number("verify_mib", 4) * 2048;
        if (sectors_ > disk.sectors()) sectors_ = disk.sectors();
        generations_ = machine.arena.take(sectors_ * sizeof(uint32_t));
        for (Work& work : works_) work.buffer = machine.arena.take(slot_bytes);
    }

    int run() {
        if (generations_ == 0 || works_[BlockDevice::slots - 1].buffer == 0) {
            return fail("not enough memory", 0);
        }
        for (uint64_t at = 0; at < sectors_; at += most_sectors) {
            if (!start(block::write, at, most_sectors) || !drain()) return 1;
        }
        const uint64_t rounds = machine_.command_line.number("rounds", 2000);
        for (uint64_t i = 0; i < rounds; ++i) {
            const auto type = random_.below(2) == 0 ? block::read : block::write;
            const uint64_t at = random_.below(sectors_);
            if (!start(type, at, 1 + static_cast<uint32_t>(random_.below(most_sectors)))) return 1;
        }
        if (!drain() || !flush() || !read_everything()) return 1;
        if (!identify() || !zeroes() || !refusals() || !read_everything()) return 1;
        print("verify ok sectors={} rounds={}\n", sectors_, rounds);
        return 0;
    }

  private:
    uint32_t& generation(uint64_t sector) { return at<uint32_t>(generations_)[sector]; }

    int fail(const char* why, uint64_t number) {
        print("FAIL verify: {} ({})\n", why, number);
        return 1;
    }

    bool overlaps(uint64_t sector, uint32_t count) const {
        for (const Work& work : works_) {
            if (!work.busy) continue;
            if (sector < work.sector + work.count && work.sector < sector + count) return true;
        }
        return false;
    }

    // Starts one request in a free slot; waits for others that touch the same sectors, because
    // their order would be open.
    bool start(uint32_t type, uint64_t sector, uint32_t count) {
        if (count > sectors_ - sector) count = static_cast<uint32_t>(sectors_ - sector);
        uint16_t slot = BlockDevice::slots;
        while (slot == BlockDevice::slots) {
            for (uint16_t i = 0; i < BlockDevice::slots; ++i) {
                if (!works_[i].busy) slot = i;
            }
            if (slot == BlockDevice::slots || overlaps(sector, count)) {
                slot = BlockDevice::slots;
                if (!finish_one()) return false;
            }
        }
        Work& work = works_[slot];
        work.sector = sector;
        work.count = count;
        work.busy = true;
        types_[slot] = type;
        if (type == block::write) {
            fill(work);
        } else {
            fill_bytes(work.buffer, 0xa5, slot_bytes);
        }
        submit(slot, type);
        return true;
    }

    void fill(const Work& work) {
        auto* words = at<uint64_t>(work.buffer);
        for (uint32_t i = 0; i < work.count; ++i) {
            const uint32_t now = ++generation(work.sector + i);
            for (uint32_t word = 0; word < words_per_sector; ++word) {
                *words++ = pattern(work.sector + i, now, word);
            }
        }
    }

    // Cuts the buffer into pieces at odd places, so that no device relies on whole sectors.
    void submit(uint16_t slot, uint32_t type) {
        const Work& work = works_[slot];
        const uint16_t most = disk_.has(feature::indirect) ? BlockDevice::most_segments : 1;
        Segment segments[BlockDevice::most_segments];
        const uint32_t bytes = work.count * block::sector_size;
        const auto pieces = static_cast<uint16_t>(1 + random_.below(most));
        uint32_t used = 0;
        uint16_t count = 0;
        while (used < bytes) {
            uint32_t length = bytes - used;
            if (count + 1 < pieces) length = 1 + static_cast<uint32_t>(random_.below(length));
            segments[count++] = {work.buffer + used, length};
            used += length;
        }
        disk_.submit(slot, type, work.sector, segments, count);
        if (random_.below(4) == 0) disk_.publish();
    }

    bool check(const Work& work) {
        const auto* words = at<const uint64_t>(work.buffer);
        for (uint32_t i = 0; i < work.count; ++i) {
            const uint64_t sector = work.sector + i;
            const uint32_t now = generation(sector);
            for (uint32_t word = 0; word < words_per_sector; ++word, ++words) {
                const uint64_t expected = now == 0 ? 0 : pattern(sector, now, word);
                if (*words == expected) continue;
                print("FAIL verify: sector {} word {} is {x}, expected {x} (generation {})\n",
                      sector, word, *words, expected, now);
                return false;
            }
        }
        return true;
    }

    bool finish_one() {
        disk_.publish_if_added();
        const Deadline deadline(machine_.clock, 10'000);
        uint16_t slot;
        uint8_t result;
        while (!disk_.take(slot, result)) {
            if (deadline.passed()) return !fail("no answer", 0);
            relax();
        }
        if (slot >= BlockDevice::slots || !works_[slot].busy) return !fail("wrong slot", slot);
        works_[slot].busy = false;
        if (result != block::ok) return !fail("request failed", result);
        return types_[slot] != block::read || check(works_[slot]);
    }

    bool drain() {
        for (const Work& work : works_) {
            while (work.busy) {
                if (!finish_one()) return false;
            }
        }
        return true;
    }

    bool read_everything() {
        for (uint64_t at = 0; at < sectors_; at += most_sectors) {
            if (!start(block::read, at, most_sectors)) return false;
        }
        return drain();
    }

    bool flush() {
        if (!disk_.has(block::feature_flush)) return true;
        const uint8_t result = disk_.run(machine_.clock, block::flush, 0, {0, 0});
        return result == block::ok || !fail("flush", result);
    }

    bool identify() {
        const uint64_t buffer = works_[0].buffer;
        fill_bytes(buffer, 0, 32);
        const uint8_t result = disk_.run(machine_.clock, block::get_id, 0, {buffer, 20});
        if (result != block::ok) return !fail("get-id", result);
        print("verify id={}\n", at<const char>(buffer));
        return true;
    }

    // Write-zeroes and discard over a range each; discarded sectors may hold anything, so they are
    // written again.
    bool zeroes() {
        struct Range {
            uint64_t sector;
            uint32_t count;
            uint32_t flags;
        };
        const uint64_t buffer = works_[0].buffer;
        if (disk_.has(block::feature_write_zeroes)) {
            const Range range{sectors_ / 4, 300, 0};
            *at<Range>(buffer) = range;
            const uint8_t result =
                disk_.run(machine_.clock, block::write_zeroes, 0, {buffer, sizeof(Range)});
            if (result != block::ok) return !fail("write-zeroes", result);
            for (uint32_t i = 0; i < range.count; ++i) generation(range.sector + i) = 0;
        }
        if (disk_.has(block::feature_discard)) {
            const Range range{sectors_ / 2, 256, 0};
            *at<Range>(buffer) = range;
            const uint8_t result =
                disk_.run(machine_.clock, block::discard, 0, {buffer, sizeof(Range)});
            if (result != block::ok) return !fail("discard", result);
            if (!start(block::write, range.sector, range.count) || !drain()) return false;
        }
        return true;
    }

    bool refusals() {
        const Clock& clock = machine_.clock;
        const uint64_t end = disk_.sectors();
        const Segment page{works_[0].buffer, 4096};
        uint8_t result = disk_.run(clock, block::read, end, page);
        if (result != block::failed) return !fail("read behind the end", result);
        result = disk_.run(clock, block::write, end - 1, page);
        if (result != block::failed) return !fail("write across the end", result);
        result = disk_.run(clock, block::read, ~uint64_t{0} - 3, page);
        if (result != block::failed) return !fail("read at a sector that wraps", result);
        result = disk_.run(clock, 0x1234, 0, page);
        return result == block::unsupported || !fail("unknown request", result);
    }

    Machine& machine_;
    BlockDevice& disk_;
    Random random_;
    uint64_t sectors_;
    uint64_t generations_;
    Work works_[BlockDevice::slots];
    uint32_t types_[BlockDevice::slots] = {};
};

}  // namespace

int verify(Machine& machine, BlockDevice& disk) {
    return Verification(machine, disk).run();
}

}  // namespace probe
