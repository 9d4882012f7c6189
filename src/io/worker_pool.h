#pragma once

// Why: without io_uring a read of a file can only be made by a thread that waits for it. The pool
// keeps a few, started when they are needed, and hands the results back through an eventfd.

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "io/operation_list.h"

namespace sheaf::io {

class WorkerPool {
  public:
    // At most `limit` threads; `wakeup` is an eventfd that is written when results are there. It
    // outlives the pool.
    WorkerPool(std::size_t limit, int wakeup) : limit_(limit), wakeup_(wakeup) {}
    // Waits for what the threads are doing; queued operations are dropped.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // All for the loop's thread.
    void submit(Operation& operation);
    // Takes an operation back that no thread has begun; false where one has.
    bool withdraw(Operation& operation);
    // The operations that have ended since the last call, with notes.result set.
    OperationList take_done();

  private:
    bool add_thread();
    void work(const std::stop_token& stopping);
    void note_done(Operation& operation, int result);  // with mutex_ held

    const std::size_t limit_;
    const int wakeup_;
    std::mutex mutex_;
    std::condition_variable_any arrived_;
    OperationList queued_;  // these three under mutex_
    OperationList done_;
    std::size_t idle_ = 0;
    std::vector<std::jthread> threads_;
};

}  // namespace sheaf::io
