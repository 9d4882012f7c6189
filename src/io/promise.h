#pragma once

// Why: what every coroutine of ours carries besides its value: how it ended, who waits for it and
// which scope can cancel it. Awaitables are written against this, never against a Task's type.

#include <coroutine>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/result.h"
#include "io/cancel.h"

namespace sheaf::io {

// Told once when a task that could not finish at once has finished.
class Waiter {
  public:
    virtual void child_finished() = 0;

  protected:
    ~Waiter() = default;
};

class PromiseBase {
  public:
    std::suspend_always initial_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { std::abort(); }

    Scope* scope() const { return scope_; }
    bool finished() const { return finished_; }
    bool failed() const { return error_.has_value(); }
    Error take_error() { return *std::move(error_); }

    // Runs the coroutine `self` until it finishes or waits; true if it finished. Otherwise `waiter`
    // is told later. The scope is inherited by everything awaited below.
    bool run(std::coroutine_handle<> self, Scope* scope, Waiter& waiter) {
        scope_ = scope;
        self.resume();
        if (!finished_) waiter_ = &waiter;
        return finished_;
    }

    // Ends the suspended coroutine with an error; it is never resumed, its owner destroys it. That
    // may happen before this returns, so it is the last thing an awaitable does.
    void end_with(Error error) {
        error_.emplace(std::move(error));
        finish();
    }

    // Notes the end and tells the waiter, which may destroy the coroutine.
    void finish() {
        finished_ = true;
        if (waiter_) waiter_->child_finished();
    }

  private:
    Scope* scope_ = nullptr;
    Waiter* waiter_ = nullptr;
    std::optional<Error> error_;
    bool finished_ = false;
};

// Whether an awaitable ends its caller with an error or hands it over as a Result.
enum class OnError { end_caller, look };

// The coroutine that waits for something, as seen by the thing waited for.
class Suspended {
  public:
    template <class Promise>
    void remember(std::coroutine_handle<Promise> handle) {
        handle_ = handle;
        promise_ = &handle.promise();
    }
    Scope* scope() const { return promise_->scope(); }
    bool in_cancelled_scope() const { return scope() && scope()->cancelled(); }

    // Either may destroy the awaitable that holds this before it returns.
    void resume() { handle_.resume(); }
    void end_with(Error error) { promise_->end_with(std::move(error)); }

  private:
    std::coroutine_handle<> handle_;
    PromiseBase* promise_ = nullptr;
};

}  // namespace sheaf::io
