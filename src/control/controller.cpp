#include "control/controller.h"

#include "io/time_limit.h"

namespace sheaf::control {

void Controller::add(const ObjectKey& key) {
    queue_.add(key, loop_.now());
    stirred_.set();
}

io::Task<void> Controller::add_all() {
    const auto keys = co_await client_.keys(reconciler_.kind());
    for (const auto& key : keys) add(key);
    for (const auto& key : reconciler_.always()) add(key);
}

io::Task<void> Controller::run() {
    auto outcome = co_await dispatch().result();
    if (outcome) outcome = co_await drain().result();
    running_.cancel();
    static_cast<void>(co_await running_.join().result());  // they tell the queue how they ended
    co_await std::move(outcome);
}

void Controller::stop() {
    stopping_ = true;
    stirred_.set();
}

io::Task<void> Controller::dispatch() {
    while (!stopping_) {
        stirred_.clear();
        while (busy_ < limits_.most_at_once) {
            auto key = queue_.take(loop_.now());
            if (!key) break;
            ++busy_;
            running_.start(run_one(*std::move(key)));
        }
        if (!stirred_.is_set()) co_await wait();
    }
}

// Until something may begin.
io::Task<void> Controller::wait() {
    const auto due = queue_.next_due();
    if (!due || busy_ == limits_.most_at_once) co_return co_await wait_stirred();
    const auto waited =
        co_await io::within(loop_, std::max(*due - loop_.now(), io::Duration{0}), wait_stirred())
            .result();
    if (!waited && waited.error().kind() != Kind::timed_out) co_await waited;
}

io::Task<void> Controller::wait_stirred() {
    co_await stirred_.wait();
}

io::Task<void> Controller::drain() {
    io::TaskGroup clock;
    clock.start(cancel_late());
    auto drained = co_await running_.join().result();
    clock.cancel();
    static_cast<void>(co_await clock.join().result());
    co_await std::move(drained);
}

io::Task<void> Controller::cancel_late() {
    co_await loop_.sleep(limits_.patience);
    running_.cancel();
}

io::Task<void> Controller::run_one(ObjectKey key) {
    const auto outcome = co_await reconcile(key).result();
    if (outcome) {
        queue_.succeeded(key, loop_.now(), *outcome);
    } else {
        queue_.failed(key, loop_.now());
        note_failure(key, outcome.error());
    }
    --busy_;
    stirred_.set();
}

io::Task<LookAgain> Controller::reconcile(ObjectKey key) {
    auto object = co_await client_.get(reconciler_.kind(), key);
    co_return co_await reconciler_.reconcile(std::move(key), std::move(object));
}

void Controller::note_failure(const ObjectKey& key, const Error& error) {
    if (error.kind() == Kind::conflict || error.kind() == Kind::cancelled) return;
    logger_.warning("an object is not as it is wanted",
                    {{"kind", std::string{reconciler_.kind().name}},
                     {"object", key.text()},
                     {"failures", fmt::format("{}", queue_.failures(key))},
                     {"reason", error.text()}});
}

}  // namespace sheaf::control
