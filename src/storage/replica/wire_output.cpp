#include "storage/replica/wire_output.h"

#include "base/bytes.h"

namespace sheaf::replica {

void WireOutput::put(const Header& header, std::span<const std::byte> payload) {
    const auto whole = sealed(header, payload);
    const auto first = bytes_of(whole);
    queued_.insert(queued_.end(), first.begin(), first.end());
    queued_.insert(queued_.end(), payload.begin(), payload.end());
    loop_.at_turn_end(*this);
}

void WireOutput::finish() {
    finished_ = true;
    wanted_.set();
}

io::Task<void> WireOutput::run(std::move_only_function<void()> sent) {
    while (true) {
        wanted_.clear();
        if (queued_.empty()) {
            if (finished_) co_return;
            co_await wanted_.wait();
            continue;
        }
        sending_.clear();
        std::swap(sending_, queued_);
        co_await stream_.send(sending_);
        sent();
    }
}

}  // namespace sheaf::replica
