#pragma once

// Why: Task<T> is a function that waits. co_await is its TRY: awaiting a Task, a Result or an I/O
// operation gives the value, or ends the awaiting coroutine with the error; `.result()` looks at
// the error instead. Semantics (start, ending, cancellation, destruction) are in io/README.md.
// A Task belongs to one loop thread; it starts when awaited, and its owner outlives it.

#include <coroutine>
#include <utility>

#include "io/task_promise.h"

namespace sheaf::io {

// What `co_await task` and `co_await task.result()` do. Owns the task while it runs.
template <class T, OnError on_error>
class TaskAwaiter final : Waiter {
  public:
    explicit TaskAwaiter(Task<T> task) : task_(std::move(task)) {}

    bool await_ready() const { return false; }
    // Runs the task inside the caller's suspension. A task that finishes at once returns here, so a
    // loop of such awaits keeps the stack flat without relying on tail calls.
    template <class CallerPromise>
    bool await_suspend(std::coroutine_handle<CallerPromise> caller) {
        caller_.remember(caller);
        if (!task_.promise().run(task_.handle(), caller_.scope(), *this)) return true;
        if (!ends_caller()) return false;
        caller_.end_with(task_.promise().take_error());
        return true;
    }
    auto await_resume() {
        if constexpr (on_error == OnError::look) {
            return task_.promise().take();
        } else {
            return detail::unwrap(task_.promise().take());
        }
    }

  private:
    bool ends_caller() { return on_error == OnError::end_caller && task_.promise().failed(); }
    void child_finished() override {
        if (ends_caller()) return caller_.end_with(task_.promise().take_error());
        caller_.resume();
    }

    Task<T> task_;
    Suspended caller_;
};

template <class T>
class [[nodiscard]] Task {
  public:
    using promise_type = Promise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    explicit Task(Handle handle) : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Task& operator=(Task&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Task() {
        if (handle_) handle_.destroy();
    }

    TaskAwaiter<T, OnError::end_caller> operator co_await() && {
        return TaskAwaiter<T, OnError::end_caller>{std::move(*this)};
    }
    // Awaits without ending the caller: gives Result<T>.
    TaskAwaiter<T, OnError::look> result() && {
        return TaskAwaiter<T, OnError::look>{std::move(*this)};
    }

    Handle handle() const { return handle_; }
    promise_type& promise() const { return handle_.promise(); }

  private:
    Handle handle_;
};

template <class T>
Task<T> Promise<T>::get_return_object() {
    return Task<T>{std::coroutine_handle<Promise>::from_promise(*this)};
}
inline Task<void> Promise<void>::get_return_object() {
    return Task<void>{std::coroutine_handle<Promise>::from_promise(*this)};
}

}  // namespace sheaf::io
