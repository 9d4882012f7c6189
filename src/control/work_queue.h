#pragma once

// Why: which object is looked at next. However often it changes, it waits once; while it is worked
// on nobody else begins; what fails is tried again later, and later again.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>

#include "control/object_key.h"
#include "io/operation.h"

namespace sheaf::control {

// Knows no clock and waits for nothing. Any one thread.
class WorkQueue {
  public:
    using Random = std::move_only_function<std::uint64_t()>;

    // After the first failure in a row one waits between half of this and all of it, after each
    // further one for twice as long.
    static constexpr std::chrono::milliseconds first_pause{200};
    static constexpr std::chrono::minutes longest_pause{5};
    // Who failed is not looked at sooner than this, even if it changes.
    static constexpr std::chrono::milliseconds least_pause{100};

    explicit WorkQueue(Random random) : random_(std::move(random)) {}

    // The object changed: it is due now, or once whoever works on it has ended.
    void add(const ObjectKey& key, io::TimePoint now);
    // One that is due, the one that became so first. It is worked on until one of the next two.
    std::optional<ObjectKey> take(io::TimePoint now);
    // `again`: when to look even if nothing changes.
    void succeeded(const ObjectKey& key, io::TimePoint now, std::optional<io::Duration> again);
    void failed(const ObjectKey& key, io::TimePoint now);

    // When the next one is due that nobody works on.
    std::optional<io::TimePoint> next_due() const;
    std::size_t size() const { return entries_.size(); }  // waiting, and worked on
    unsigned failures(const ObjectKey& key) const;        // in a row

  private:
    struct Entry {
        bool running = false;
        bool changed = false;  // while it ran
        unsigned failures = 0;
        io::TimePoint not_before{};
        std::optional<std::pair<io::TimePoint, std::uint64_t>> due;
    };
    using Entries = std::map<ObjectKey, Entry>;

    void schedule(Entries::iterator entry, io::TimePoint due);
    io::Duration pause(unsigned failures);

    Random random_;
    Entries entries_;
    std::map<std::pair<io::TimePoint, std::uint64_t>, Entries::iterator> order_;
    std::uint64_t last_ = 0;  // those of one instant come in the order they were added
};

}  // namespace sheaf::control
