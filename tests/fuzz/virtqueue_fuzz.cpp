// A driver's ring: the input is the guest's memory. Every chain that is taken must lie within guest
// memory, its readable pieces first.

#include <cstdlib>

#include "devices/virtio/descriptor_walk.h"
#include "vmm/guest_memory.h"

namespace sheaf::virtio {
namespace {

constexpr std::uint16_t queue_size = 16;
constexpr std::uint64_t memory_size = 64_KiB;
constexpr QueueSetup setup = {.index = 0,
                              .size = queue_size,
                              .descriptors = Gpa{0},
                              .driver_area = Gpa{0x400},
                              .device_area = Gpa{0x800},
                              .event_index = true,
                              .indirect = true};

void check(const vmm::GuestMemory& memory, std::span<const iovec> pieces, std::size_t readable) {
    if (readable > pieces.size() || pieces.size() > queue_size) std::abort();
    const auto all = memory.regions()[0].bytes;
    for (const auto& piece : pieces) {
        const auto* first = static_cast<const std::byte*>(piece.iov_base);
        if (first < all.data() || first + piece.iov_len > all.data() + all.size()) std::abort();
        if (piece.iov_len == 0) std::abort();
    }
}

void run(std::span<const std::byte> input) {
    static const auto memory =
        *vmm::GuestMemory::create(memory_size, vmm::GuestMemory::Backing::anonymous);
    const auto all = memory.regions()[0].bytes;
    std::ranges::fill(all, std::byte{0});
    std::ranges::copy(input.first(std::min(input.size(), all.size())), all.begin());
    const auto ring = *Ring::create(setup, memory);
    auto pieces = std::vector<iovec>{};
    for (std::uint16_t position = 0; position < queue_size; ++position) {
        std::size_t readable = 0;
        const auto head = ring.available_head(position);
        if (DescriptorWalk::run(ring, setup, memory, head, pieces, readable))
            check(memory, pieces, readable);
        ring.put_used(position, head, 0);
    }
    ring.publish_used(queue_size);
    static_cast<void>(ring.wants_interrupt(0, queue_size));
}

}  // namespace
}  // namespace sheaf::virtio

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    sheaf::virtio::run(std::as_bytes(std::span{data, size}));
    return 0;
}
