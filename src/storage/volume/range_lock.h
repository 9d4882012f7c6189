#pragma once

// Why: two writes of one block in flight could land in either order, and a read beside a write
// could see half of it; the checksum would then belong to neither. Requests that touch the same
// blocks, one of them changing something, go one after the other, in the order they came.

#include <cstdint>
#include <list>

#include "io/event.h"
#include "io/task.h"

namespace sheaf::volume {

class RangeLock {
    struct Entry;

  public:
    enum class Mode : std::uint8_t { shared, exclusive };
    struct Range {  // block numbers: first to the one before end
        std::uint64_t first;
        std::uint64_t end;
        Mode mode;
    };

    // What was granted; given back when it is destroyed.
    class [[nodiscard]] Held {
      public:
        Held(RangeLock& lock, std::list<Entry>::iterator place) : lock_(&lock), place_(place) {}
        Held(Held&& other) noexcept
            : lock_(std::exchange(other.lock_, nullptr)), place_(other.place_) {}
        Held& operator=(Held&&) = delete;
        ~Held() {
            if (lock_) lock_->release(place_);
        }

      private:
        RangeLock* lock_;
        std::list<Entry>::iterator place_;
    };

    // Waits until no earlier request that conflicts is left. Loop thread only; the lock outlives
    // what it granted.
    io::Task<Held> acquire(Range range);
    // Whether nothing is held or waited for.
    bool idle() const { return entries_.empty(); }
    // Requests are numbered as they come: what the next gets, and the first that is not over.
    std::uint64_t next() const { return next_; }
    std::uint64_t oldest() const { return entries_.empty() ? next_ : entries_.front().number; }
    // Whether a request that touches these blocks is held or waits.
    bool busy(std::uint64_t first, std::uint64_t end) const;

  private:
    struct Entry {
        Entry(const Range& wanted, std::uint64_t its_number) : range(wanted), number(its_number) {}
        Range range;
        std::uint64_t number;
        bool granted = false;
        io::Event grant;
    };

    static bool conflict(const Range& left, const Range& right);
    bool grantable(std::list<Entry>::const_iterator place) const;
    void release(std::list<Entry>::iterator place);

    std::list<Entry> entries_;  // in the order they came, those granted too
    std::size_t waiting_ = 0;
    std::uint64_t next_ = 0;
};

}  // namespace sheaf::volume
