#include "storage/volume/slot_space.h"

#include <algorithm>

#include "storage/aligned_buffer.h"

namespace sheaf::volume {

namespace {

constexpr std::uint32_t slots_per_write = 8;  // of zeros

}  // namespace

// The lowest free slot, so that a file does not grow while it has room; else the next one behind
// the last. Slots that are being written with zeros are left alone: they are free once that is
// done.
std::optional<std::uint32_t> SlotSpace::take() {
    if (!free_.empty()) return free_.extract(free_.begin()).value();
    if (zeroing_ > 0 && end_ == zeroing_from_) end_ = zeroed_ = zeroing_from_ + zeroing_;
    if (end_ >= room_) return std::nullopt;
    zeroed_ = std::max(zeroed_, end_ + 1);
    return end_++;
}

io::Task<std::uint32_t> SlotSpace::allocate() {
    while (true) {
        const auto slot = take();
        start_growing();
        if (slot) co_return *slot;
        if (failure_) {
            Failure failure{Error{*failure_}.within("setting room aside")};
            co_await std::move(failure);
        }
        co_await room_made_.wait();
    }
}

void SlotSpace::release(std::uint32_t slot) {
    free_.insert(slot);
    if (starved()) room_made_.wake();
}

void SlotSpace::note_used(std::uint32_t slot) {
    end_ = std::max(end_, slot + 1);
    zeroed_ = std::max(zeroed_, end_);
}

void SlotSpace::try_again() {
    full_ = false;
    failure_.reset();
    start_growing();
}

void SlotSpace::start_growing() {
    const auto enough = room_ > end_ && zeroed_ - end_ >= growth_.ahead;
    if (growing_ || full_ || enough) return;
    growing_ = true;
    work_.start(grow());
}

// Room first, for requests wait for that; zeros then, as far as they are ahead of use.
io::Task<void> SlotSpace::grow() {
    while (true) {
        if (room_ < end_ + growth_.ahead) {
            auto outcome = co_await set_room_aside().result();
            if (!outcome) {
                full_ = true;
                // No room is a state that passes, and worth waiting for; anything else is told.
                if (outcome.error().kind() != Kind::exhausted)
                    failure_ = std::move(outcome).error();
            }
            room_made_.wake();
            if (full_) break;
        } else if (zeroed_ - end_ < growth_.ahead) {
            const auto outcome = co_await write_zeroes().result();
            if (!outcome) break;
        } else {
            break;
        }
    }
    growing_ = false;
}

// Where there is no room for a whole segment there may be for less.
io::Task<void> SlotSpace::set_room_aside() {
    for (auto slots = growth_.segment; slots > 0; slots /= 2) {
        auto outcome = co_await extend(slots).result();
        if (outcome) {
            room_ += slots;
            co_return;
        }
        if (slots == 1 || outcome.error().kind() != Kind::exhausted) co_await std::move(outcome);
    }
}

// The file system's own accounting is what all volumes of a pool share. It is asked before, so that
// a full one is left alone, and after, for another volume may have grown at the same time: both
// then give back, and neither stays beyond the stop.
io::Task<void> SlotSpace::extend(std::uint32_t slots) {
    const auto begin = room_ * chunk_size;
    const auto length = slots * chunk_size;
    if (growth_.keep_free > 0) co_await data_.check_free(growth_.keep_free + length);
    co_await data_.allocate(begin, length);
    if (growth_.keep_free == 0) co_return;
    auto enough = data_.check_free(growth_.keep_free);
    if (!enough) co_await data_.cut(begin);
    co_await std::move(enough);
}

io::Task<void> SlotSpace::write_zeroes() {
    zeroing_ = std::min(slots_per_write, room_ - zeroed_);
    storage::AlignedBuffer zeroes{zeroing_ * chunk_size};
    const auto first = zeroing_from_ = zeroed_;
    auto outcome = Result<void>{fail(Kind::exhausted, "no memory for zeroes")};
    if (!zeroes.bytes().empty()) {
        std::ranges::fill(zeroes.bytes(), std::byte{0});
        outcome = co_await data_.write(zeroes.bytes(), first * chunk_size).result();
    }
    const auto count = std::exchange(zeroing_, 0);
    if (zeroed_ == first) {
        zeroed_ += count;
    } else {
        // Allocation has gone past them meanwhile.
        for (auto slot = first; slot < first + count; ++slot) free_.insert(slot);
    }
    room_made_.wake();
    co_await std::move(outcome);
}

}  // namespace sheaf::volume
