#pragma once

// Why: how long to look before sleeping. Looking pays only where news comes soon, so the window
// follows what the last waits were like, and closes where it would take the processor from another.

#include <algorithm>

#include "io/operation.h"

namespace sheaf::io {

class PollWindow {
  public:
    static constexpr auto first = std::chrono::microseconds{8};
    // News is to come so often, on average; then one wait among many may be as long as a queue of
    // requests is under way.
    static constexpr auto worthwhile = std::chrono::microseconds{256};
    static constexpr auto longest = std::chrono::microseconds{1024};
    // Two looks so far apart were not ours: another thread had the processor between them.
    static constexpr auto preempted = std::chrono::microseconds{500};
    static constexpr auto abstinence = std::chrono::milliseconds{20};

    // How long to look, from `now` on; zero to sleep at once.
    Duration length(TimePoint now) const {
        return now < closed_until_ ? Duration::zero() : length_;
    }
    // What a wait, looking and sleeping together, has come to.
    void waited(Duration duration) {
        mean_ += (std::min<Duration>(duration, longest) - mean_) / 8;
        if (duration > longest || mean_ > worthwhile) {
            length_ = Duration::zero();
        } else if (duration > length_) {
            length_ = std::clamp<Duration>(length_ * 2, first, longest);
        }
    }
    void lost_processor(TimePoint now) { closed_until_ = now + abstinence; }

  private:
    Duration length_ = Duration::zero();
    Duration mean_ = Duration::zero();  // of the last waits
    TimePoint closed_until_ = TimePoint::min();
};

}  // namespace sheaf::io
