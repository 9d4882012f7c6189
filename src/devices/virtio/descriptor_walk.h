#pragma once

// Why: turning a head index into pieces of host memory is where a hostile driver has most to say.
// It is done here and nowhere else: every descriptor is copied once, then checked
// (virtio 1.2, 2.7.5).

#include <sys/uio.h>

#include <vector>

#include "devices/virtio/ring.h"

namespace sheaf::virtio {

class DescriptorWalk {
  public:
    // Replaces `pieces` by those of the chain that begins at `head`, adjacent ones joined.
    // `readable` becomes how many of them the device reads; they come first. Fails with invalid for
    // an index beyond the table, a loop or too long a chain, a piece outside of memory, one for the
    // device to read after one to write, or a misplaced indirect table.
    static Result<void> run(const Ring& ring, const QueueSetup& setup,
                            const vmm::GuestMemory& memory, std::uint16_t head,
                            std::vector<iovec>& pieces, std::size_t& readable);

  private:
    DescriptorWalk(const QueueSetup& setup, const vmm::GuestMemory& memory,
                   std::vector<iovec>& pieces, std::size_t& readable)
        : setup_(setup), memory_(memory), pieces_(pieces), readable_(readable) {}

    enum class Level { ring, indirect };
    Result<void> follow(std::span<const std::byte> table, std::uint16_t first, Level level);
    Result<void> enter_indirect(const Descriptor& descriptor, Level level);
    Result<void> add(const Descriptor& descriptor);

    const QueueSetup& setup_;
    const vmm::GuestMemory& memory_;
    std::vector<iovec>& pieces_;
    std::size_t& readable_;
    std::size_t seen_ = 0;  // descriptors
    std::uint64_t bytes_ = 0;
    bool writing_ = false;  // a piece for the device to write has been seen
};

}  // namespace sheaf::virtio
