#pragma once

// Why: a machine whose processors stand still, as a debugger sees it: registers, memory by virtual
// address, breakpoints. All of it is at rest, so questions are answered without waiting.

#include <vector>

#include "vmm/debug/breakpoints.h"
#include "vmm/debug/register_file.h"

namespace sheaf::vmm::debug {

class Debuggee {
  public:
    // The memory outlives the debuggee.
    Debuggee(const GuestMemory& guest_memory, std::size_t cpus)
        : memory(guest_memory), registers(cpus) {}

    // Reads as much of [address, address + bytes.size()) as there is from its first byte on, as
    // processor `cpu` would find it, and gives how many bytes that are; 0 where nothing is mapped.
    std::size_t read(std::size_t cpu, std::uint64_t address, std::span<std::byte> bytes) const;
    // Writes all of it, or nothing and fails.
    Result<void> write(std::size_t cpu, std::uint64_t address, std::span<const std::byte> bytes);

    Result<Gpa> place_of(std::size_t cpu, std::uint64_t address) const;

    const GuestMemory& memory;
    std::vector<RegisterFile> registers;  // one a processor
    Breakpoints breakpoints;

  private:
    struct Piece {
        Gpa start;
        std::size_t length;
    };
    // The piece of one page that begins at `address`; memory of the guest for sure.
    Result<Piece> piece(std::size_t cpu, std::uint64_t address, std::size_t length) const;
};

}  // namespace sheaf::vmm::debug
