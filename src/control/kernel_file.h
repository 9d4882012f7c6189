#pragma once

// Why: an image of kind kernel is a file that a machine's memory is filled from, and no disk. It is
// there whole or not at all, and says by itself what it was made of.

#include "control/pool_service.h"
#include "io/loop.h"

namespace sheaf::control {

struct KernelImport {
    std::string folder;  // made where it is not there
    std::string name;    // in it
    std::string source;  // for people
    std::optional<std::string> sha256;
};

// Larger files are no kernels.
inline constexpr std::uint64_t largest_kernel = 1ULL << 30;  // bytes

// Copies the file. Fails with exists, invalid where it is not the one that was meant or too large,
// exhausted. Blocks between its waits. Loop and pool outlive it.
io::Task<void> import_kernel(io::Loop& loop, const pool::Pool& pool, Fd file, KernelImport wanted);
// None where there is no such file.
io::Task<std::optional<DiskFacts>> find_kernel(io::Loop& loop, std::string path);
// One that is gone is no failure.
Result<void> remove_kernel(const std::string& path);

}  // namespace sheaf::control
