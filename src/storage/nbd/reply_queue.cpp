#include "storage/nbd/reply_queue.h"

#include <sys/uio.h>

#include "storage/nbd/output.h"

namespace sheaf::nbd {

void ReplyQueue::put(Pending pending) {
    waiting_.push_back(std::move(pending));
    loop_.at_turn_end(*this);
}

void ReplyQueue::finish() {
    closed_ = true;
    wanted_.set();
}

io::Task<void> ReplyQueue::run() {
    while (true) {
        wanted_.clear();
        if (waiting_.empty()) {
            if (closed_) co_return;
            co_await wanted_.wait();
            continue;
        }
        pieces_.clear();
        std::size_t count = 0;
        std::size_t cost = 0;
        while (count < waiting_.size() && pieces_.size() < most_pieces) {
            waiting_[count].reply.append_to(pieces_);
            cost += waiting_[count++].cost;
        }
        co_await send_all(loop_, descriptor_, std::span{pieces_});
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
        sent_(count, cost);
    }
}

}  // namespace sheaf::nbd
