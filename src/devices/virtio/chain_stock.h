#pragma once

// Why: a card or a console takes the driver's buffers when there is something to put into them, and
// must still notice at once that the queue was stopped. One task takes chains as they come, another
// uses them up.

#include <deque>

#include "devices/virtio/queue.h"
#include "io/event.h"
#include "io/task_group.h"

namespace sheaf::virtio {

// Loop thread only.
class ChainStock {
  public:
    bool empty() const { return chains_.empty(); }
    std::size_t size() const { return chains_.size(); }
    Chain& operator[](std::size_t index) { return chains_[index]; }
    void put(Chain chain) {
        chains_.push_back(std::move(chain));
        grown_.set();
    }
    // Gives the oldest chain away.
    Chain take() {
        auto chain = std::move(chains_.front());
        chains_.pop_front();
        return chain;
    }
    // Waits until there are more than `count`.
    io::Task<void> wait_for_more_than(std::size_t count);

  private:
    std::deque<Chain> chains_;
    io::Event grown_;
};

// Runs `user` while chains of `queue` go into its `stock`. Ends when the queue ends: the user is
// then cancelled and joined. An error of the user ends the service when the queue ends.
io::Task<void> serve_from_stock(Queue& queue, ChainStock& stock, io::Task<void> user);

}  // namespace sheaf::virtio
