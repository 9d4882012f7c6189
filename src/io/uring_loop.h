#pragma once

// Why: the Loop over io_uring. A turn that waits is one system call: it submits everything the turn
// queued and waits for the first completion. Nothing on the path of a request allocates.

#include <memory>
#include <vector>

#include "io/loop.h"
#include "io/mailbox.h"
#include "io/operation_list.h"
#include "io/poll_window.h"

struct io_uring_sqe;

namespace sheaf::io {

class UringLoop final : public Loop {
  public:
    // `entries` is how many requests one submission holds; more in one turn cost further system
    // calls, nothing else. Kind::unsupported or Kind::denied where io_uring is not to be had.
    static Result<std::unique_ptr<UringLoop>> create(unsigned entries = 256);
    ~UringLoop() override;

    struct Ring;                                       // the kernel's and liburing's side
    UringLoop(std::unique_ptr<Ring> ring, Fd wakeup);  // for create()

    LoopKind kind() const override { return LoopKind::io_uring; }
    void start(Operation& operation) override;
    void cancel(Operation& operation) override;
    void post(std::move_only_function<void()> work) override { mailbox_.put(std::move(work)); }
    TimePoint now() const override { return std::chrono::steady_clock::now(); }
    std::optional<unsigned> register_memory(std::span<std::byte> memory) override;
    void forget_memory(unsigned place) override;
    void run() override;
    void stop() override { mailbox_.stop(); }

  private:
    struct Completion {
        std::uint64_t user_data;
        int result;
    };
    // Keeps a read of the mailbox's eventfd in flight.
    class Wakeup final : public Operation {
      public:
        Wakeup(UringLoop& loop, int eventfd);
        void complete(int result) override;

      private:
        std::uint64_t count_ = 0;
    };

    void bind_to_this_thread();
    void turn();
    bool anything_ready() const;
    void submit_and_wait();
    bool look_out(TimePoint began);
    void wait();
    void check_submission(int result) const;
    void reap();
    void perform_at_once();
    void dispatch(const Completion& completion);
    void finish(Operation& operation, int result);
    void wait_until_ready(Operation& operation);
    void submit(Operation& operation);
    io_uring_sqe& next_entry();
    void make_room();

    std::unique_ptr<Ring> ring_;
    Mailbox mailbox_;
    Wakeup wakeup_;
    OperationList at_once_;              // to be performed by this thread, at the end of the turn
    std::vector<Completion> set_aside_;  // taken early, where the kernel had no room for more
    PollWindow window_;
    bool bound_ = false;  // to the loop's thread
};

}  // namespace sheaf::io
