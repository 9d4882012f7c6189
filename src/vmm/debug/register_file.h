#pragma once

// Why: a debugger numbers registers by a description that it is sent. Description, numbers and the
// places in KVM's structures come from one table, so that they cannot drift apart.

#include <string>
#include <vector>

#include "base/bytes.h"
#include "vmm/kvm.h"

namespace sheaf::vmm::debug {

// The registers of one processor, as KVM gives and takes them. A value.
struct RegisterFile {
    kvm_regs general{};
    kvm_sregs system{};
    ExtendedState extended{};

    bool general_changed = false;
    bool system_changed = false;
    bool extended_changed = false;
};

std::size_t register_count();
std::size_t register_size(std::size_t number);  // bytes; `number` is below the count

// The register's bytes as a debugger wants them, low byte first; `number` is below the count.
std::vector<std::byte> read_register(const RegisterFile& file, std::size_t number);

// Changes a register, and notes in the file what KVM has to be given. Fails with invalid for a
// value that a processor would not go on with, of another size, or of a register that stands
// still: segments and control registers do, unless it is the value they have.
Result<void> write_register(RegisterFile& file, std::size_t number,
                            std::span<const std::byte> bytes);

// All of them in order, as the packet "g" has them; and back, all or none.
std::vector<std::byte> read_registers(const RegisterFile& file);
Result<void> write_registers(RegisterFile& file, std::span<const std::byte> bytes);

// The description, in GDB's XML ("Target Descriptions" of its manual).
std::string target_description();

}  // namespace sheaf::vmm::debug
