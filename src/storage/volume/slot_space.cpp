#include "storage/volume/slot_space.h"

#include <algorithm>

#include "storage/aligned_buffer.h"

namespace sheaf::volume {

namespace {

constexpr std::uint32_t slots_per_write = 8;  // of zeros
constexpr std::size_t most_punched = 4096;    // at a time

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

io::Task<std::optional<std::uint32_t>> SlotSpace::allocate_now() {
    while (true) {
        auto slot = take();
        start_growing();
        if (slot || full_ || !growing_) co_return slot;
        co_await room_made_.wait();
    }
}

void SlotSpace::release(std::uint32_t slot) {
    free_.insert(slot);
    if (!room_made_.empty()) room_made_.wake();
}

void SlotSpace::release_without_room(std::uint32_t slot) {
    if (!free_.contains(slot)) holes_.insert(slot);
    if (!starved()) return;
    full_ = false;
    start_growing();
}

// A slot is in nobody's hands while its room is given back.
io::Task<std::size_t> SlotSpace::punch(std::size_t keep) {
    auto count = std::size_t{0};
    while (free_.size() > keep && count < most_punched) {
        const auto end = *free_.rbegin() + 1;
        auto first = end;
        while (free_.size() > keep && end - first < growth_.segment && first > 0 &&
               free_.erase(first - 1) > 0)
            --first;
        punching_ = end - first;
        const auto outcome =
            co_await data_.punch(first * chunk_size, (end - first) * chunk_size).result();
        punching_ = 0;
        for (auto slot = first; slot < end; ++slot) release_without_room(slot);
        co_await outcome;
        count += end - first;
    }
    co_return count;
}

io::Task<void> SlotSpace::trim() {
    trimming_ = true;
    auto outcome = Result<void>{};
    while (growing_ && outcome) outcome = co_await room_made_.wait().result();
    if (outcome && room_ > end_) {
        outcome = co_await data_.punch(end_ * chunk_size, (room_ - end_) * chunk_size).result();
        room_ = zeroed_ = end_;
    }
    trimming_ = false;
    co_await std::move(outcome);
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
    if (growing_ || full_ || trimming_ || (!needs_room() && !needs_zeroes())) return;
    growing_ = true;
    work_.start(grow());
}

// Room first, for requests wait for that; zeros then, as far as they are ahead of use.
io::Task<void> SlotSpace::grow() {
    while (!trimming_) {
        if (needs_room()) {
            auto outcome = holes_.empty() ? co_await set_room_aside().result()
                                          : co_await fill_holes().result();
            if (!outcome) {
                full_ = true;
                // No room is a state that passes, and worth waiting for; anything else is told.
                if (outcome.error().kind() != Kind::exhausted)
                    failure_ = std::move(outcome).error();
            }
            room_made_.wake();
            if (full_) break;
        } else if (needs_zeroes()) {
            const auto outcome = co_await write_zeroes().result();
            if (!outcome) break;
        } else {
            break;
        }
    }
    growing_ = false;
    room_made_.wake();
}

// The first free slots without room get some, as many as lie together; where there is not enough
// for all of them, fewer.
io::Task<void> SlotSpace::fill_holes() {
    const auto first = *holes_.begin();
    auto end = first;
    while (end - first < growth_.segment && holes_.erase(end) > 0) ++end;
    auto outcome = Result<void>{};
    auto done = first;
    for (auto slots = end - first; done < end; slots = std::min(slots, end - done)) {
        outcome = co_await give_room(done, slots).result();
        if (outcome) {
            for (; slots > 0; --slots) free_.insert(done++);
            slots = end - done;
        } else if (slots == 1 || outcome.error().kind() != Kind::exhausted) {
            break;
        } else {
            slots /= 2;
        }
    }
    for (auto slot = done; slot < end; ++slot) holes_.insert(slot);
    if (done == first) co_await std::move(outcome);
}

// Where there is no room for a whole segment there may be for less.
io::Task<void> SlotSpace::set_room_aside() {
    for (auto slots = growth_.segment; slots > 0; slots /= 2) {
        auto outcome = co_await give_room(room_, slots).result();
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
io::Task<void> SlotSpace::give_room(std::uint32_t first, std::uint32_t slots) {
    const auto begin = first * chunk_size;
    const auto length = slots * chunk_size;
    if (growth_.keep_free > 0) co_await data_.check_free(growth_.keep_free + length);
    co_await data_.allocate(begin, length);
    if (growth_.keep_free == 0) co_return;
    auto enough = data_.check_free(growth_.keep_free);
    if (!enough && first >= room_) co_await data_.cut(begin);
    if (!enough && first < room_) co_await data_.punch(begin, length);
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
