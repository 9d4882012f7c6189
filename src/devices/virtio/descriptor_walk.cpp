#include "devices/virtio/descriptor_walk.h"

namespace sheaf::virtio {

namespace {

constexpr std::uint64_t chain_bytes_limit = 4_GiB;  // virtio 1.2, section 2.7.5

}  // namespace

Result<void> DescriptorWalk::run(const Ring& ring, const QueueSetup& setup,
                                 const vmm::GuestMemory& memory, std::uint16_t head,
                                 std::vector<iovec>& pieces, std::size_t& readable) {
    pieces.clear();
    readable = 0;
    auto walk = DescriptorWalk{setup, memory, pieces, readable};
    return walk.follow(ring.descriptors(), head, Level::ring);
}

Result<void> DescriptorWalk::follow(std::span<const std::byte> table, std::uint16_t first,
                                    Level level) {
    const auto count = table.size() / sizeof(Descriptor);
    for (std::size_t index = first;;) {
        if (index >= count)
            return fail(Kind::invalid, "descriptor {} of a table of {}", index, count);
        if (++seen_ > setup_.size)
            return fail(Kind::invalid, "a chain of more than {} descriptors", setup_.size);
        const auto descriptor = load<Descriptor>(table.subspan(index * sizeof(Descriptor)));
        if (descriptor.is_indirect()) return enter_indirect(descriptor, level);
        TRY(add(descriptor));
        if (!descriptor.has_next()) return {};
        index = descriptor.next;
    }
}

Result<void> DescriptorWalk::enter_indirect(const Descriptor& descriptor, Level level) {
    if (!setup_.indirect) return fail(Kind::invalid, "an indirect table that was not negotiated");
    if (level == Level::indirect) return fail(Kind::invalid, "an indirect table in another");
    if (descriptor.has_next())
        return fail(Kind::invalid, "an indirect table that is not the end of its chain");
    if (descriptor.length == 0 || descriptor.length % sizeof(Descriptor) != 0)
        return fail(Kind::invalid, "an indirect table of {} bytes", descriptor.length);
    --seen_;  // the descriptor that points to the table carries no piece
    const auto table =
        TRY_WITHIN(memory_.slice(Gpa{descriptor.address}, descriptor.length), "indirect table");
    return follow(table, 0, Level::indirect);
}

Result<void> DescriptorWalk::add(const Descriptor& descriptor) {
    if (writing_ && !descriptor.device_writes())
        return fail(Kind::invalid, "a readable descriptor after a writable one");
    const bool first_writable = descriptor.device_writes() && !writing_;
    writing_ = descriptor.device_writes();
    bytes_ += descriptor.length;
    if (bytes_ > chain_bytes_limit) return fail(Kind::invalid, "a chain of more than 4 GiB");
    if (descriptor.length == 0) return fail(Kind::invalid, "a descriptor of no bytes");
    const auto piece =
        TRY_WITHIN(memory_.slice(Gpa{descriptor.address}, descriptor.length), "descriptor");
    const bool joins =
        !pieces_.empty() && !first_writable &&
        static_cast<std::byte*>(pieces_.back().iov_base) + pieces_.back().iov_len == piece.data();
    if (joins) {
        pieces_.back().iov_len += piece.size();
    } else {
        pieces_.push_back({piece.data(), piece.size()});
    }
    if (!writing_) readable_ = pieces_.size();
    return {};
}

}  // namespace sheaf::virtio
