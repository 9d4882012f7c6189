#pragma once

// Why: firmware that finds nothing to start says so late and in few words. What can be known from
// outside is said before the machine starts. What: UEFI 2.10, section 5 (MBR, GPT) and 13.3.2 (El
// Torito on ISO 9660).

#include <cstdint>
#include <functional>
#include <span>

#include "base/fd.h"

namespace sheaf::storage {

// Reads exactly that many bytes from this position of a disk.
using ReadAt = std::function<Result<void>(std::uint64_t position, std::span<std::byte> into)>;

// Holds where a disk of `size` bytes has a boot record that firmware may follow: an MBR or a FAT
// boot sector, a GPT of which one copy is sound, or an ISO 9660 file system with a boot catalogue.
// Fails with invalid where there is none, with corrupt where both copies of a GPT are damaged or
// gone, with unsupported for a disk image in a format that is not raw. Whether what is there also
// starts is for the firmware to find out.
Result<void> check_boot_record(const ReadAt& read, std::uint64_t size);

// The same for an open disk. Blocks.
Result<void> check_boot_record(const Fd& disk);

// Fails with unsupported where an open disk of at least one sector is an image in a format that is
// not raw: a guest would take its metadata for data, and write over it. Blocks.
Result<void> check_raw_format(const Fd& disk);

}  // namespace sheaf::storage
