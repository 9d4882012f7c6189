#pragma once

// Why: the same Loop where io_uring is forbidden (seccomp, kernel.io_uring_disabled): poll for
// descriptors that become ready, a few threads for files, a queue for timers. It is the fall-back:
// correct first, and cheap where that costs nothing.

#include <poll.h>

#include <memory>
#include <vector>

#include "io/loop.h"
#include "io/mailbox.h"
#include "io/timer_queue.h"
#include "io/worker_pool.h"

namespace sheaf::io {

class PoolLoop final : public Loop {
  public:
    static Result<std::unique_ptr<PoolLoop>> create(std::size_t thread_limit = 8);
    PoolLoop(Fd wakeup, std::size_t thread_limit);  // for create()

    LoopKind kind() const override { return LoopKind::thread_pool; }
    void start(Operation& operation) override;
    // A file request that a thread has begun cannot be called back; it ends with its result.
    void cancel(Operation& operation) override;
    void post(std::move_only_function<void()> work) override { mailbox_.put(std::move(work)); }
    TimePoint now() const override { return std::chrono::steady_clock::now(); }
    // Nothing is gained from knowing buffers here; requests that name one work all the same.
    void run() override;
    void stop() override { mailbox_.stop(); }

  private:
    void turn();
    void wait();
    void take_ready();
    void start_connect(Operation& operation);
    void hand_to_worker(Operation& operation);
    void end(Operation& operation, int result);
    void complete_ended();

    Mailbox mailbox_;
    WorkerPool workers_;
    TimerQueue timers_;
    OperationList waiting_;  // for their descriptors
    OperationList ended_;    // with notes.result, to be completed this turn or the next
    // Rebuilt each turn: the mailbox, then one for each operation in waiting_, in its order.
    std::vector<pollfd> descriptors_;
};

}  // namespace sheaf::io
