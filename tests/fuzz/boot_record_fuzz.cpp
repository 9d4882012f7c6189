// Any bytes as a disk that firmware shall start: an answer, no reading beyond it.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "storage/boot_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto disk = std::as_bytes(std::span{data, size});
    const auto read = [&](std::uint64_t position,
                          std::span<std::byte> into) -> sheaf::Result<void> {
        if (position > disk.size() || into.size() > disk.size() - position) std::abort();
        std::ranges::copy(disk.subspan(position, into.size()), into.begin());
        return {};
    };
    const auto outcome = sheaf::storage::check_boot_record(read, size);
    if (!outcome && outcome.error().text().empty()) std::abort();
    return 0;
}
