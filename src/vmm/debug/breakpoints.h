#pragma once

// Why: what a debugger wants to be told of. A software breakpoint is an instruction of ours in the
// guest's memory, which a debugger that reads there must not see; a hardware breakpoint is one of
// the four debug registers, which a guest may use as well. So each trap is the debugger's or the
// guest's own, and here is what tells them apart.

#include <linux/kvm.h>

#include <array>
#include <map>
#include <optional>

#include "vmm/guest_memory.h"

namespace sheaf::vmm::debug {

struct HardwareBreakpoint {
    enum class On { execute, write, access };
    On on = On::execute;
    std::uint64_t address = 0;  // linear
    unsigned length = 1;        // 1, 2, 4 or 8 bytes, aligned; 1 for execute
    bool operator==(const HardwareBreakpoint&) const = default;
};

// Why a processor left the guest.
struct Cause {
    enum class Kind {
        guest,  // its own affair: it gets the exception
        interrupt,
        step,
        software,
        hardware,
        write,
        access,
    };
    Kind kind = Kind::interrupt;
    std::uint64_t address = 0;  // of a write or access
};

enum class Stepping { off, on };

class Breakpoints {
  public:
    static constexpr std::size_t most_software = 1024;
    static constexpr std::size_t debug_registers = 4;

    // Puts a breakpoint where `address` is now, and takes it away wherever `address` is by then.
    // Twice is as good as once. No processor is in the guest. Fails with exhausted at the limit,
    // and where there is no memory.
    Result<void> insert(const GuestMemory& memory, std::uint64_t address, Gpa place);
    void remove(const GuestMemory& memory, std::uint64_t address);

    // Fails with invalid for what a processor cannot do, with exhausted where all four are taken.
    Result<void> insert(const HardwareBreakpoint& breakpoint);
    void remove(const HardwareBreakpoint& breakpoint);

    void clear(const GuestMemory& memory);
    bool empty() const;
    // Whether accesses to `address` are watched.
    bool watches(std::uint64_t address) const;

    // Puts what the guest had there over breakpoints in bytes that were read from `start`.
    void hide(Gpa start, std::span<std::byte> bytes) const;
    // Writes guest memory and leaves breakpoints in it.
    Result<void> write(const GuestMemory& memory, Gpa start, std::span<const std::byte> bytes);

    // What KVM has to be told before a processor enters the guest.
    kvm_guest_debug control(Stepping stepping) const;
    // Whose a trap is. `place` is where its instruction is in memory, if that is known.
    Cause cause_of(const kvm_debug_exit_arch& trap, std::optional<Gpa> place,
                   Stepping stepping) const;

  private:
    struct Software {
        Gpa place;
        std::byte original;
    };
    const Software* at(Gpa place) const;

    std::map<std::uint64_t, Software> software_;  // by the address that the debugger gave
    std::array<std::optional<HardwareBreakpoint>, debug_registers> hardware_;
};

}  // namespace sheaf::vmm::debug
