#pragma once

// Why: some libraries only know calls that block (SQLite, the resolver of names). They are made in
// a thread of their own, one after another, and what they give is handed back to the loop.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <type_traits>

#include "io/loop.h"
#include "io/task.h"

namespace sheaf::io {

// All for the loop's thread; the loop outlives it.
class SideThread {
  public:
    static Result<std::unique_ptr<SideThread>> create(Loop& loop);
    explicit SideThread(Loop& loop) : loop_(loop) {}  // for create()
    SideThread(const SideThread&) = delete;
    SideThread& operator=(const SideThread&) = delete;
    // Nobody may be waiting for a call.
    ~SideThread();

    // Makes the call `work`, which gives a Result, after all that were asked for before, and gives
    // what it gives. It is not cut short: cancellation is seen before it begins to wait, and not
    // until it has ended.
    template <class Work>
    auto call(Work work) -> Task<typename std::invoke_result_t<Work&>::value_type> {
        auto outcome = co_await Call<Work>{*this, std::move(work)};
        co_return co_await std::move(outcome);
    }

  private:
    using Job = std::move_only_function<void()>;

    template <class Work>
    class [[nodiscard]] Call {
      public:
        using Outcome = std::invoke_result_t<Work&>;

        Call(SideThread& thread, Work work) : thread_(thread), work_(std::move(work)) {}
        bool await_ready() const { return false; }
        template <class Promise>
        bool await_suspend(std::coroutine_handle<Promise> caller) {
            caller_.remember(caller);
            if (caller_.in_cancelled_scope()) return false;
            thread_.put([this] {
                outcome_.emplace(work_());
                thread_.loop_.post([this] { caller_.resume(); });
            });
            return true;
        }
        Outcome await_resume() {
            if (!outcome_) return fail(Kind::cancelled, "a call: cancelled");
            return *std::move(outcome_);
        }

      private:
        SideThread& thread_;
        Work work_;
        std::optional<Outcome> outcome_;
        Suspended caller_;
    };

    void put(Job job);
    void work(const std::stop_token& stopping);

    Loop& loop_;
    std::mutex mutex_;
    std::condition_variable_any arrived_;
    std::deque<Job> jobs_;  // under mutex_
    std::jthread thread_;
};

}  // namespace sheaf::io
