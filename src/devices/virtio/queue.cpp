#include "devices/virtio/queue.h"

#include "devices/virtio/descriptor_walk.h"
#include "io/misuse.h"

namespace sheaf::virtio {

Result<std::unique_ptr<Queue>> Queue::create(const QueueSetup& setup,
                                             const vmm::GuestMemory& memory, io::Loop& loop,
                                             QueueOwner& owner) {
    const auto ring = TRY_WITHIN(Ring::create(setup, memory), "queue {}", setup.index);
    return std::unique_ptr<Queue>{new Queue{setup, ring, memory, loop, owner}};
}

Queue::Queue(const QueueSetup& setup, const Ring& ring, const vmm::GuestMemory& memory,
             io::Loop& loop, QueueOwner& owner)
    : setup_(setup), ring_(ring), memory_(memory), loop_(loop), owner_(owner), slots_(setup.size) {
    loop.watch(*this);
}

std::optional<Chain> Queue::try_next() {
    if (stopped()) return std::nullopt;
    auto chain = take();
    if (chain) return *std::move(chain);
    state_ = State::broken;
    owner_.broken(setup_.index, chain.error());
    return std::nullopt;
}

Result<std::optional<Chain>> Queue::take() {
    const auto available = ring_.available_index();
    if (available == next_available_) return std::nullopt;
    // A driver has one chain for every descriptor at most, counting those of which it was not told
    // yet that they are used. So this also bounds what it can make the device do in one turn.
    const auto in_use = static_cast<std::uint16_t>(available - published_);
    const auto taken = static_cast<std::uint16_t>(next_available_ - published_);
    if (in_use > setup_.size || in_use < taken)
        return fail(Kind::invalid, "available index {} where {} of {} chains are in use", available,
                    taken, setup_.size);
    if (std::exchange(armed_, false)) ring_.decline_doorbells();
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

void Queue::begin_wait() {
    if (std::exchange(waiting_, true)) io::misuse("two tasks wait for one queue");
}

void Queue::kick() {
    // Nobody waits while this polls: a queue that turns out broken may be stopped by its owner.
    if (!std::exchange(waiting_, false)) return;
    pending_ = try_next();
    if (pending_ || stopped()) return waiter_.resume();
    waiting_ = true;
}

bool Queue::look() {
    if (!waiting_ || ring_.available_index() == next_available_) return false;
    kick();
    return true;
}

bool Queue::arm() {
    if (!waiting_) return false;
    if (!std::exchange(armed_, true)) ring_.ask_for_doorbell(next_available_);
    return look();
}

void Queue::stop() {
    state_ = State::stopped;
    if (std::exchange(waiting_, false)) waiter_.resume();
}

void Queue::give_back(std::uint16_t head, std::uint32_t written) {
    slots_[head].out = false;
    if (state_ == State::stopped) return;
    ring_.put_used(next_used_++, head, written);
    loop_.at_turn_end(*this);
}

void Queue::turn_ended() {
    if (state_ == State::stopped || published_ == next_used_) return;
    ring_.publish_used(next_used_);
    const auto before = std::exchange(published_, next_used_);
    if (ring_.wants_interrupt(before, next_used_)) owner_.interrupt(setup_.index);
}

}  // namespace sheaf::virtio
