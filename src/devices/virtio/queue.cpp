#include "devices/virtio/queue.h"

#include "devices/virtio/descriptor_walk.h"

namespace sheaf::virtio {

Result<std::unique_ptr<Queue>> Queue::create(const QueueSetup& setup,
                                             const vmm::GuestMemory& memory, io::Loop& loop,
                                             QueueOwner& owner) {
    const auto ring = TRY_WITHIN(Ring::create(setup, memory), "queue {}", setup.index);
    return std::unique_ptr<Queue>{new Queue{setup, ring, memory, loop, owner}};
}

Queue::Queue(const QueueSetup& setup, const Ring& ring, const vmm::GuestMemory& memory,
             io::Loop& loop, QueueOwner& owner)
    : setup_(setup), ring_(ring), memory_(memory), loop_(loop), owner_(owner), slots_(setup.size) {}

std::optional<Chain> Queue::try_next() {
    if (stopped_) return std::nullopt;
    auto chain = take();
    if (chain) return *std::move(chain);
    fail_with(chain.error());
    return std::nullopt;
}

std::optional<Chain> Queue::poll() {
    auto chain = try_next();
    if (chain || stopped_) return chain;
    ring_.ask_for_doorbell(next_available_);
    return try_next();
}

Result<std::optional<Chain>> Queue::take() {
    const auto offered = static_cast<std::uint16_t>(ring_.available_index() - next_available_);
    if (offered == 0) return std::nullopt;
    if (offered > setup_.size)
        return fail(Kind::invalid, "{} chains offered in a queue of {}", offered, setup_.size);
    const auto head = ring_.available_head(next_available_);
    if (head >= setup_.size)
        return fail(Kind::invalid, "head {} in a queue of {}", head, setup_.size);
    auto& slot = slots_[head];
    if (slot.out) return fail(Kind::invalid, "chain {} is offered while it is in use", head);
    TRY(DescriptorWalk::run(ring_, setup_, memory_, head, slot.pieces, slot.readable));
    ++next_available_;
    slot.out = true;
    const auto pieces = std::span{slot.pieces};
    return Chain{*this, head, Readable{pieces.first(slot.readable)},
                 Writable{pieces.subspan(slot.readable)}};
}

void Queue::fail_with(const Error& why) {
    stopped_ = true;
    owner_.broken(setup_.index, why);
    // Whoever waits is told on its own turn: this may run inside the waiter's own try_next().
}

void Queue::kick() {
    if (!waiting_) return;
    pending_ = poll();
    if (pending_ || stopped_) wake();
}

void Queue::stop() {
    stopped_ = true;
    wake();
}

void Queue::wake() {
    if (!std::exchange(waiting_, false)) return;
    waiter_.resume();
}

void Queue::give_back(std::uint16_t head, std::uint32_t written) {
    slots_[head].out = false;
    if (stopped_) return;
    ring_.put_used(next_used_++, head, written);
    loop_.at_turn_end(*this);
}

void Queue::turn_ended() {
    if (stopped_ || published_ == next_used_) return;
    ring_.publish_used(next_used_);
    const auto before = std::exchange(published_, next_used_);
    if (ring_.wants_interrupt(before, next_used_)) owner_.interrupt(setup_.index);
}

}  // namespace sheaf::virtio
