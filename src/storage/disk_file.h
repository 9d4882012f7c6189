#pragma once

// Why: opening a disk by its path is where people make mistakes, and where two virtual machines
// must be kept from writing one disk. It happens once, in the keeper; the process that runs the
// guest gets the descriptor only.

#include <cstdint>
#include <string>

#include "base/fd.h"

namespace sheaf::storage {

enum class Access { read_only, read_write };

// What the kernel asks of transfers on an open file, in bytes: of memory addresses, and of file
// offsets and piece lengths. One where the page cache is used.
struct Alignment {
    std::uint32_t memory = 1;
    std::uint32_t offset = 1;
};

// Opens the raw file or block device at `path`, close-on-exec, past the page cache (O_DIRECT) where
// 512-byte sectors can be moved that way, and takes its lock: one writer, or any number of readers.
// The lock lives as long as the open file, also in another process. Blocks. Every error names the
// path and what is wrong with it.
Result<Fd> open_disk(const std::string& path, Access access);

// The same for reading, through the page cache and whatever its size is.
Result<Fd> open_buffered(const std::string& path);

// Size of an open raw file or block device in bytes.
Result<std::uint64_t> size_of(const Fd& disk);

// Leaves the page cache out for an open file, where single sectors of 512 bytes can be moved that
// way.
Result<void> prefer_direct(const Fd& disk);

// What transfers on this open file must respect, from its flags and its file system.
Result<Alignment> alignment_of(const Fd& disk);

}  // namespace sheaf::storage
