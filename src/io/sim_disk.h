#pragma once

// Why: a disk whose faults are chosen by a seed, to find out what the code above makes of them.
//
// The fault model. This and nothing else may happen:
// - A sector is 512 bytes and is whole: it holds its old or its new content, never a mixture.
// - A request takes effect at one instant between its start and its end, here when it ends.
//   Requests in flight are not ordered among each other.
// - A flush (fdatasync) makes everything stable that was completed before the flush began. Only
//   what is stable is certain to survive a power cut. A flush that fails makes nothing stable.
// - At a power cut each sector written since it was last stable holds, independently of all others,
//   its stable content or that of any later write: writes may be lost, torn at sector borders, or
//   survive out of order. Writes in flight may have reached any of their sectors.
// - A request may fail with EIO. A write that fails, or is cancelled, may have reached any of its
//   sectors.
// - A read or write of more than one sector may be cut short at a sector border.
// - While the power is off every request fails with EIO and changes nothing.
// - A file may grow, by writes and by fallocate, as long as there is capacity; behind that is
//   ENOSPC. What it grew by since it was last stable may be gone after a power cut.
// - Where it demands direct transfers, as a file that is opened past the page cache does, a request
//   whose memory, offset or length is not made of whole sectors fails with EINVAL.
// - A write may be lost, or land elsewhere, and be reported as done; content may change by itself
//   (flip_bit). A medium that does such things is broken: code above can but notice it.

#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "io/sim_random.h"

namespace sheaf::io {

class SimDisk {
  public:
    static constexpr std::size_t sector_size = 512;

    struct Faults {
        double error = 0;           // probability of EIO for each request
        double error_at_start = 0;  // besides, of each write to the first 8 KiB
        double read_error = 0;      // besides, of each read
        double short_transfer = 0;
        double lost = 0;  // of each write that succeeds
        double misdirected = 0;
        Duration least_delay = std::chrono::microseconds{20};
        Duration most_delay = std::chrono::microseconds{400};
    };

    // `size` in bytes, a multiple of the sector size; all zeros, and stable.
    SimDisk(std::uint64_t size, std::uint64_t seed) : SimDisk(size, seed, Faults{}) {}
    SimDisk(std::uint64_t size, std::uint64_t seed, const Faults& faults);

    // Bytes that the file may grow to, at most; by default it does not.
    void set_capacity(std::uint64_t capacity) { capacity_ = capacity; }
    std::uint64_t size() const { return visible_.size(); }
    void demand_direct_transfers() { direct_ = true; }
    // Changes one bit, on the medium too.
    void flip_bit(std::uint64_t byte, unsigned bit);
    // Writes so far that were lost or landed elsewhere.
    std::uint64_t broken_writes() const { return broken_writes_; }
    std::uint64_t requests() const { return last_ticket_; }  // begun so far

    // Makes this its whole content, stable.
    void set_content(std::vector<std::byte> content);
    // What a read would give now.
    std::span<const std::byte> content() const { return visible_; }
    void set_faults(const Faults& faults) { faults_ = faults; }
    const Faults& faults() const { return faults_; }

    // Decides what survives and fails everything from now on, until power_on().
    void power_cut();
    void power_on() { powered_ = true; }

    // For the SimLoop: a request begins, and ends by one of the other two with its result.
    using Ticket = std::uint64_t;
    Ticket begin(const Request& request);
    int finish(Ticket ticket);
    void abandon(Ticket ticket);
    Duration draw_delay() { return random_.between(faults_.least_delay, faults_.most_delay); }

  private:
    using Sector = std::array<std::byte, sector_size>;
    struct Version {
        std::uint64_t landed;  // when, counted in writes
        Sector content;
    };
    struct InFlight {
        Request request;
        std::uint64_t began;  // the count of writes landed by then
        std::uint64_t size;   // of the file then
    };
    enum class Extent { whole, any_sectors };

    bool fails(const Request& request);
    int read(const Request& request);
    int write(const Request& request);
    bool grow(std::uint64_t size);
    int zero(const Request& request);
    std::uint64_t draw_length(std::uint64_t offset, std::uint64_t wanted);
    void land(std::uint64_t offset, std::span<const std::byte> bytes, Extent extent);
    void land_partly(const Request& request);
    void make_stable(std::uint64_t until, std::uint64_t size);

    Faults faults_;
    SimRandom random_;
    std::vector<std::byte> visible_;
    std::vector<std::byte> stable_;
    std::map<std::uint64_t, std::vector<Version>> unstable_;  // by sector number, oldest first
    std::map<Ticket, InFlight> in_flight_;
    Ticket last_ticket_ = 0;
    std::uint64_t landed_ = 0;
    std::uint64_t capacity_;
    std::uint64_t stable_size_;
    std::uint64_t broken_writes_ = 0;
    bool powered_ = true;
    bool direct_ = false;
};

}  // namespace sheaf::io
