#pragma once

// Why: the half of a Task that the compiler talks to: what co_await does with a Result, and where
// co_return leaves the value. Included through io/task.h.

#include <optional>

#include "io/frame_memory.h"
#include "io/promise.h"

namespace sheaf::io {

template <class T>
class Task;

// co_await on a Result: the value, or the end of the awaiting coroutine.
template <class T>
struct ResultAwaiter {
    Result<T> value;
    bool await_ready() const { return value.has_value(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> caller) {
        // Moved out first: ending the caller may destroy this awaiter.
        auto error = std::move(value).error();
        caller.promise().end_with(std::move(error));
    }
    T await_resume() { return detail::unwrap(std::move(value)); }
};

// Leaves the finished coroutine suspended, for its owner to destroy, and tells its waiter.
struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) noexcept {
        self.promise().finish();
    }
    void await_resume() noexcept {}
};

class TaskPromise : public PromiseBase {
  public:
    static void* operator new(std::size_t size) { return take_frame(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { give_frame(frame, size); }

    FinalAwaiter final_suspend() noexcept { return {}; }

    template <class U>
    ResultAwaiter<U> await_transform(Result<U> value) {
        return {std::move(value)};
    }
    ResultAwaiter<void> await_transform(Failure failure) { return {std::move(failure)}; }
    template <class Awaitable>
    Awaitable&& await_transform(Awaitable&& awaitable) {
        return std::forward<Awaitable>(awaitable);
    }
};

template <class T>
class Promise : public TaskPromise {
  public:
    Task<T> get_return_object();
    void return_value(T value) { value_.emplace(std::move(value)); }
    Result<T> take() {
        if (failed()) return Failure{take_error()};
        return *std::move(value_);
    }

  private:
    std::optional<T> value_;
};

template <>
class Promise<void> : public TaskPromise {
  public:
    Task<void> get_return_object();
    void return_void() {}
    Result<void> take() {
        if (failed()) return Failure{take_error()};
        return {};
    }
};

}  // namespace sheaf::io
