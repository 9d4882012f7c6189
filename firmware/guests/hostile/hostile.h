// A guest that breaks the rules, case by case, and looks what became of the device.
//
// After each case the device has to be in one of three states: working (a good request on the same
// queue is answered), marked (NEEDS_RESET is set), or stopped (the case itself took DRIVER_OK
// or the queue away). In each of them a reset has to bring it back, its data has to be what it was,
// and the memory around the buffers has to be untouched.
#pragma once

#include <initializer_list>

#include "support/block_device.h"
#include "support/console.h"
#include "support/random.h"

namespace probe {

class Hostile;

struct Case {
    const char* name;
    void (*run)(Hostile&);
};

// One descriptor of a chain as a case wants it; `next` is filled in by chain().
struct Piece {
    uint64_t address;
    uint32_t length;
    uint16_t flags = 0;
};

class Hostile {
  public:
    Hostile(Machine& machine, Pci& pci) : machine_(machine), pci_(pci) {}

    // Finds the disk and writes what later cases must find there. False when that fails already.
    bool open();
    template <size_t count>
    void run(const Case (&cases)[count]) {
        for (const Case& one : cases) run(one);
    }
    void run(const Case& one);
    uint32_t cases() const { return cases_; }
    uint32_t failures() const { return failures_; }

    // For the cases.
    Machine& machine() { return machine_; }
    Pci& pci() { return pci_; }
    BlockDevice& disk() { return disk_; }
    VirtioDevice& device() { return disk_.device(); }
    Virtqueue& queue() { return disk_.queue(); }
    uint64_t buffer() const { return buffer_; }  // 128 KiB
    uint64_t table() const { return table_; }    // a page for indirect descriptors

    // The case fails for this reason (the first one counts).
    void fail(const char* why) {
        if (!why_) why_ = why;
    }
    // The same for what other VMMs let pass: `lenient=1` forgives it.
    void refused(bool condition, const char* why) {
        if (!machine_.command_line.flag("lenient", false)) require(condition, why);
    }
    void require(bool condition, const char* why) {
        if (!condition) fail(why);
    }

    Piece header(uint32_t type, uint64_t sector);
    Piece in(uint32_t length) const { return {buffer_, length, descriptor_write}; }
    Piece out(uint32_t length) const { return {buffer_, length, 0}; }
    Piece status() const { return {status_, 1, descriptor_write}; }

    // Links the pieces from ring descriptor 0 on and puts the chain on the ring; see go().
    template <size_t count>
    void chain(const Piece (&pieces)[count]) {
        link(address_of(&queue().descriptor(0)), pieces, count);
        queue().add(0);
    }
    // The same in the indirect table; descriptor 0 points to it with this length and these flags.
    template <size_t count>
    void indirect(const Piece (&pieces)[count], uint32_t length, uint16_t flags = 0) {
        link(table_, pieces, count);
        queue().descriptor(0) = {table_, length, static_cast<uint16_t>(descriptor_indirect | flags),
                                 1};
        queue().add(0);
    }
    // Rings the doorbell and waits until the device answered or is marked, for half a second.
    void go();
    // What the device wrote for the last request, block::pending when nothing.
    uint8_t answer() const { return *at<volatile uint8_t>(status_); }
    // A request that must not be called a success.
    void go_refused() {
        go();
        refused(answer() != block::ok, "a bad request was called a success");
    }
    // A request that is legal, however odd.
    void go_accepted() {
        go();
        require(answer() == block::ok, "a legal request was refused");
    }
    // To DRIVER with everything acknowledged, before FEATURES_OK.
    void reset_to_driver();
    // To FEATURES_OK, with no queue.
    void reset_to_features();
    // The configuration space of the function as it was, and its structures mapped again.
    void restore_pci();

  private:
    void link(uint64_t table, const Piece* pieces, size_t count);
    const char* judge();
    const char* live();
    bool good_read();
    void fill_guards();
    bool guards_are_whole() const;

    Machine& machine_;
    Pci& pci_;
    BlockDevice disk_;
    uint64_t guard_ = 0;
    uint64_t buffer_ = 0;
    uint64_t table_ = 0;
    uint64_t header_ = 0;
    uint64_t status_ = 0;
    uint64_t good_ = 0;
    uint32_t config_[64] = {};
    const char* why_ = nullptr;
    uint32_t cases_ = 0;
    uint32_t failures_ = 0;
};

void run_ring_cases(Hostile& hostile);
void run_request_cases(Hostile& hostile);
void run_register_cases(Hostile& hostile);
void run_queue_cases(Hostile& hostile);
void run_pci_cases(Hostile& hostile);
void run_platform_cases(Hostile& hostile);
void run_fuzz_cases(Hostile& hostile);
// On the first network card, when there is one. The number of cases; failures are counted up.
uint32_t run_net_cases(Machine& machine, Pci& pci, uint32_t& failures);
// The same on the other devices there are.
uint32_t run_companion_cases(Machine& machine, Pci& pci, uint32_t& failures);

}  // namespace probe
