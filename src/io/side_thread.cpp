#include "io/side_thread.h"

#include <system_error>

namespace sheaf::io {

Result<std::unique_ptr<SideThread>> SideThread::create(Loop& loop) {
    auto side = std::make_unique<SideThread>(loop);
    try {
        side->thread_ =
            std::jthread{[&side = *side](const std::stop_token& stopping) { side.work(stopping); }};
    } catch (const std::system_error& error) {
        return fail_os(error.code().value(), "starting a thread");
    }
    return side;
}

SideThread::~SideThread() = default;

void SideThread::put(Job job) {
    const std::lock_guard lock{mutex_};
    jobs_.push_back(std::move(job));
    arrived_.notify_one();
}

void SideThread::work(const std::stop_token& stopping) {
    auto lock = std::unique_lock{mutex_};
    while (arrived_.wait(lock, stopping, [this] { return !jobs_.empty(); })) {
        auto job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        job();
        lock.lock();
    }
}

}  // namespace sheaf::io
