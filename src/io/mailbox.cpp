#include "io/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace sheaf::io {

Result<Fd> Mailbox::make_wakeup() {
    // Blocking, so that io_uring waits for it instead of failing with EAGAIN. A writer never
    // blocks: the counter cannot come near its limit, for each batch adds one.
    return checked_fd(::eventfd(0, EFD_CLOEXEC), "creating an eventfd");
}

void Mailbox::put(Work work) {
    const std::lock_guard lock{mutex_};
    arrived_.push_back(std::move(work));
    announce();
}

void Mailbox::stop() {
    const std::lock_guard lock{mutex_};
    stop_asked_ = true;
    announce();
}

// Called with the mutex held, so that a loop which saw the stop and is destroyed cannot pull the
// eventfd away from under the write.
void Mailbox::announce() {
    if (pending_.exchange(true, std::memory_order_acq_rel)) return;
    if (owner_.load() == std::this_thread::get_id()) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wakeup_.get(), &one, sizeof(one));
}

void Mailbox::run_work() {
    if (!pending()) return;
    {
        const std::lock_guard lock{mutex_};
        pending_.store(false, std::memory_order_release);
        running_.swap(arrived_);
        if (std::exchange(stop_asked_, false)) stop_taken_ = true;
    }
    for (auto& work : running_) work();
    running_.clear();
}

}  // namespace sheaf::io
