#pragma once

// Why: a data file is a row of slots, each the home of one chunk. New slots come from room that is
// set aside and written with zeros ahead of use, because the first write into a hole or into an
// unwritten extent costs a file system several times what a later one does. A slot that became free
// is used again at once, or, where there are many, has its room given back until then.

#include <algorithm>
#include <optional>
#include <set>

#include "io/task_group.h"
#include "io/waiters.h"
#include "storage/volume/file.h"
#include "storage/volume/format.h"

namespace sheaf::volume {

// How far a data file grows at a time, and by whose leave.
struct Growth {
    std::uint32_t segment = 512;  // slots set aside at once
    std::uint32_t ahead = 128;    // and so many written with zeros before they are needed
    std::uint64_t keep_free = 0;  // bytes of the file system that growth leaves free; 0: none
};

// Loop thread only.
class SlotSpace {
  public:
    // Slots below `end` are, as far as is known, in use; the file has room for `room`. Work of its
    // own runs in `work`, which is joined before this is destroyed.
    SlotSpace(io::TaskGroup& work, File& data, Growth growth, std::uint32_t end, std::uint32_t room)
        : work_(work), data_(data), growth_(growth), end_(end), room_(room), zeroed_(end) {}

    // A slot that nobody has. Waits while the file system has no room for more; fails where it
    // cannot say whether it has.
    io::Task<std::uint32_t> allocate();
    // The same, or nothing where there is no room now.
    io::Task<std::optional<std::uint32_t>> allocate_now();
    // The slot may be given to another. The disk already says that its last owner has it no more.
    void release(std::uint32_t slot);
    // The same of a slot that may have no room behind it.
    void release_without_room(std::uint32_t slot);
    // Gives back the room of free slots, but of so many. Gives how many it took room from.
    io::Task<std::size_t> punch(std::size_t keep);
    // Gives back the room behind the last slot. Nobody allocates meanwhile.
    io::Task<void> trim();
    // While a log is replayed: the slot is in use.
    void note_used(std::uint32_t slot);

    std::uint32_t end() const { return end_; }
    std::uint32_t room() const { return room_; }
    std::size_t free_below_end() const { return free_.size() + holes_.size() + punching_; }
    std::size_t free_with_room() const { return free_.size(); }
    bool growing() const { return growing_; }
    // Whether somebody waits for room, and the file cannot grow.
    bool starved() const { return full_ && !room_made_.empty(); }
    // Looks for room again, after some may have become free outside.
    void try_again();

  private:
    std::optional<std::uint32_t> take();
    void start_growing();
    io::Task<void> grow();
    io::Task<void> set_room_aside();
    io::Task<void> give_room(std::uint32_t first, std::uint32_t slots);
    io::Task<void> fill_holes();
    bool needs_room() const {
        const auto available = free_.size() + (room_ > end_ ? room_ - end_ : 0);
        return available < std::max(growth_.ahead, std::uint32_t{1});
    }
    bool needs_zeroes() const { return zeroed_ < std::min(room_, end_ + growth_.ahead); }
    io::Task<void> write_zeroes();

    io::TaskGroup& work_;
    File& data_;
    Growth growth_;
    std::set<std::uint32_t> free_;
    std::set<std::uint32_t> holes_;  // free ones that may have no room behind them
    std::uint32_t end_;              // slots from here on were never used
    std::uint32_t room_;             // the file is this long
    std::uint32_t zeroed_;           // from end_ to here zeros were written
    std::uint32_t zeroing_ = 0;      // slots that are being written with zeros, from the next on
    std::uint32_t zeroing_from_ = 0;
    bool growing_ = false;
    bool trimming_ = false;
    std::size_t punching_ = 0;  // slots whose room is being given back
    bool full_ = false;         // the file cannot grow now
    std::optional<Error> failure_;
    io::Waiters room_made_;
};

}  // namespace sheaf::volume
