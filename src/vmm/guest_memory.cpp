#include "vmm/guest_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "vmm/layout.h"

namespace sheaf::vmm {

namespace {

constexpr const char* memory_name = "sheaf-guest-memory";

// What the kernel lacks of this is speed or cosmetic: huge pages, by which a request of a guest's
// disk is few pieces and a guest's address is quickly found; the name in /proc/PID/maps, and leaner
// core dumps.
void describe(std::span<std::byte> bytes) {
    ::madvise(bytes.data(), bytes.size(), MADV_HUGEPAGE);
    ::madvise(bytes.data(), bytes.size(), MADV_DONTDUMP);
    ::prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, bytes.data(), bytes.size(), memory_name);
}

}  // namespace

Result<GuestMemory> GuestMemory::create(std::uint64_t size, Backing backing) {
    if (size == 0 || size % 4_KiB != 0)
        return fail(Kind::invalid, "guest memory of {} bytes is not a multiple of 4 KiB", size);
    auto memory = GuestMemory{};
    memory.size_ = size;
    memory.page_size_ = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    if (backing == Backing::memfd) {
        memory.file_ =
            TRY(checked_fd(::memfd_create(memory_name, MFD_CLOEXEC), "creating guest memory"));
        TRY(checked(::ftruncate64(memory.file_.get(), static_cast<off64_t>(size)),
                    "sizing guest memory to {} bytes", size));
        flags = MAP_SHARED | MAP_NORESERVE;
    }
    const auto low = std::min(size, layout::hole_start.value());
    const auto add = [&](Gpa start, std::uint64_t length, std::uint64_t offset) -> Result<void> {
        auto mapping = TRY(Mapping::create(length, PROT_READ | PROT_WRITE, flags,
                                           memory.file_ ? memory.file_.get() : -1, offset));
        describe(mapping.bytes());
        memory.regions_.push_back({start, mapping.bytes()});
        memory.mappings_.push_back(std::move(mapping));
        return {};
    };
    TRY_WITHIN(add(Gpa{0}, low, 0), "guest memory");
    if (size > low) TRY_WITHIN(add(layout::hole_end, size - low, low), "guest memory");
    return memory;
}

Result<std::span<std::byte>> GuestMemory::slice(Gpa address, std::uint64_t length) const {
    for (const auto& region : regions_) {
        if (address < region.start) continue;
        const auto offset = address - region.start;
        if (offset > region.bytes.size() || length > region.bytes.size() - offset) continue;
        return region.bytes.subspan(offset, length);
    }
    return fail(Kind::invalid, "no guest memory at {:#x}, {} bytes", address.value(), length);
}

Result<std::uint64_t> GuestMemory::discard(std::span<std::byte> bytes) const {
    const auto start = reinterpret_cast<std::uintptr_t>(bytes.data());
    std::uint64_t file_offset = 0;
    for (const auto& region : regions_) {
        const auto base = reinterpret_cast<std::uintptr_t>(region.bytes.data());
        const auto size = region.bytes.size();
        // What lies before the region wraps and is beyond its end as well.
        if (start - base > size || bytes.size() > size - (start - base)) {
            file_offset += size;
            continue;
        }
        // A region begins on a page, so its offsets are rounded as addresses would be.
        const auto first = align_up<std::uint64_t>(start - base, page_size_);
        const auto end = align_down<std::uint64_t>(start - base + bytes.size(), page_size_);
        if (end <= first) return 0;
        const auto pages = region.bytes.subspan(first, end - first);
        // Dropping a shared mapping's pages would leave them in the file behind it.
        const int outcome =
            file_ ? ::fallocate64(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                  static_cast<off64_t>(file_offset + first),
                                  static_cast<off64_t>(pages.size()))
                  : ::madvise(pages.data(), pages.size(), MADV_DONTNEED);
        TRY(checked(outcome, "giving {} bytes of guest memory back", pages.size()));
        return pages.size();
    }
    return fail(Kind::invalid, "{} bytes that are not guest memory", bytes.size());
}

Result<void> GuestMemory::write(Gpa address, std::span<const std::byte> bytes) const {
    std::ranges::copy(bytes, TRY(slice(address, bytes.size())).begin());
    return {};
}

}  // namespace sheaf::vmm
