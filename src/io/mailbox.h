#pragma once

// Why: the one door through which other threads reach a loop: work to run, and the wish to stop.
// It wakes the loop through an eventfd, once per batch, and not at all from the loop's own thread.

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/fd.h"

namespace sheaf::io {

class Mailbox {
  public:
    using Work = std::move_only_function<void()>;

    // `wakeup` is an eventfd that the loop waits on.
    explicit Mailbox(Fd wakeup) : wakeup_(std::move(wakeup)) {}
    static Result<Fd> make_wakeup();

    // Any thread.
    void put(Work work);
    void stop();

    // Loop thread only. Names the thread whose own posts need no wake-up.
    void bind_to_this_thread() { owner_.store(std::this_thread::get_id()); }
    int wakeup() const { return wakeup_.get(); }
    // Whether something arrived that the loop has not taken yet.
    bool pending() const { return pending_.load(std::memory_order_acquire); }
    // Runs the work that was there when it was called.
    void run_work();
    // True once for each stop() since the last call, however many.
    bool take_stop() { return std::exchange(stop_taken_, false); }

  private:
    void announce();

    Fd wakeup_;
    std::atomic<std::thread::id> owner_;
    std::atomic<bool> pending_ = false;
    std::mutex mutex_;
    std::vector<Work> arrived_;  // under mutex_, as is stop_asked_
    bool stop_asked_ = false;
    std::vector<Work> running_;  // the loop's own, as is stop_taken_
    bool stop_taken_ = false;
};

}  // namespace sheaf::io
