#include "io/task_group.h"

#include <iterator>

#include "io/loop.h"
#include "io/misuse.h"

namespace sheaf::io {

TaskGroup::~TaskGroup() {
    if (!roots_.empty() || busy_ > 0) misuse("a task group was destroyed while it runs");
}

void TaskGroup::start(Task<void> task) {
    auto& root = roots_.emplace_back(*this, std::move(task));
    root.position = std::prev(roots_.end());
    if (root.task.promise().run(root.task.handle(), &scope_, root)) ended(root);
}

void TaskGroup::cancel() {
    enter();
    scope_.cancel();
    leave();
}

void TaskGroup::ended(Root& root) {
    enter();
    auto& promise = root.task.promise();
    if (promise.failed()) {
        auto error = promise.take_error();
        const auto asked_for = cancelled() && error.kind() == Kind::cancelled;
        cut_short_ = cut_short_ || asked_for;
        if (!asked_for && !first_error_) first_error_ = std::move(error);
    }
    {
        // Out of the list first: the destructors of the frame may look at the group or use it.
        std::list<Root> destroyed;
        destroyed.splice(destroyed.begin(), roots_, root.position);
    }
    leave();
}

void TaskGroup::leave() {
    if (--busy_ == 0 && roots_.empty() && joining_) end_join();
}

bool TaskGroup::begin_join() {
    if (joining_) misuse("two tasks join one group");
    if (joiner_.scope() == &scope_) misuse("a task joins its own group");
    const auto cancelled = joiner_.in_cancelled_scope();
    if (cancelled) cancel();
    if (!roots_.empty() || busy_ > 0) {
        joining_ = true;
        if (joiner_.scope() && !cancelled) joiner_.scope()->add(*this);
        return true;
    }
    settle_outcome();
    if (joiner_looks_ || !first_error_) return false;
    end_join();
    return true;
}

// A joiner that was not cancelled itself has cancelled the group on purpose.
void TaskGroup::settle_outcome() {
    const auto against_joiner = cut_short_ && joiner_.in_cancelled_scope();
    if (against_joiner && !first_error_)
        first_error_ = Error{Kind::cancelled, "waiting for tasks: cancelled"};
    cut_short_ = false;
}

void TaskGroup::end_join() {
    joining_ = false;
    Scope::remove(*this);
    settle_outcome();
    if (joiner_looks_ || !first_error_) return joiner_.resume();
    auto error = *std::move(first_error_);
    first_error_.reset();
    joiner_.end_with(std::move(error));
}

Result<void> TaskGroup::take_outcome() {
    if (!first_error_) return {};
    auto error = *std::move(first_error_);
    first_error_.reset();
    return Failure{std::move(error)};
}

namespace {

Task<void> run_and_stop(Loop& loop, Task<void> task, Result<void>& outcome) {
    outcome = co_await std::move(task).result();
    loop.stop();
}

}  // namespace

Result<void> run(Loop& loop, Task<void> task) {
    Result<void> outcome;
    TaskGroup group;
    group.start(run_and_stop(loop, std::move(task), outcome));
    while (true) {
        loop.run();
        if (group.empty()) return outcome;
        group.cancel();
    }
}

}  // namespace sheaf::io
