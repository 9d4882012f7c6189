#pragma once

// Why: the simulated twin of the kernel's loops. Time is virtual and jumps to the next event, disks
// and connections are simulated (their fault models stand in sim_disk.h and sim_network.h), and
// everything that could go one way or another is drawn from one seed. The same program with the
// same seed does the same, turn by turn; trace() proves it.

#include <map>
#include <memory>

#include "io/loop.h"
#include "io/mailbox.h"
#include "io/operation_list.h"
#include "io/sim_disk.h"
#include "io/sim_network.h"

namespace sheaf::io {

class SimLoop final : public Loop {
  public:
    static Result<std::unique_ptr<SimLoop>> create(std::uint64_t seed);
    SimLoop(std::uint64_t seed, Fd wakeup);  // for create()

    // A descriptor of the disk as a file of fixed size. The disk outlives the loop.
    Result<Fd> open(SimDisk& disk);
    SimNetwork& network() { return network_; }

    // A hash over every completion so far: when, what, where and with which result.
    std::uint64_t trace() const { return trace_; }
    // Whether run() returned because nothing can ever happen again: every task waits for another.
    // A post() from another thread can come at any time and is not waited for.
    bool stalled() const { return stalled_; }

    LoopKind kind() const override { return LoopKind::simulated; }
    void start(Operation& operation) override;
    // What a disk has begun may or may not let itself be called back, as with the kernel.
    void cancel(Operation& operation) override;
    void post(std::move_only_function<void()> work) override { mailbox_.put(std::move(work)); }
    TimePoint now() const override { return now_; }
    void run() override;
    void stop() override { mailbox_.stop(); }

  private:
    struct File {
        SimDisk* disk;
        SimPlaceholder placeholder;
        std::uint64_t identity;
    };
    struct Moment {
        TimePoint at;
        std::uint64_t sequence;  // events of one instant come in the order they were scheduled
        auto operator<=>(const Moment&) const = default;
    };
    struct Event {
        Operation* operation;
        SimDisk* disk;  // that the operation has begun on, or null
    };

    void turn();
    bool anything_to_do() const;
    void schedule(const Event& event, TimePoint at);
    void take_next_event();
    void happen(const Event& event);
    void retry_blocked();
    void end(Operation& operation, int result);
    void complete_ended();
    const File* file_of(int fd) const;
    std::uint64_t identity_of(int fd) const;

    Mailbox mailbox_;
    SimRandom random_;
    SimNetwork network_;
    std::map<int, File> files_;
    std::map<Moment, Event> scheduled_;
    OperationList blocked_;  // for data, room or a connection
    OperationList ended_;    // with notes.result, to be completed
    TimePoint now_{std::chrono::hours{1}};
    std::uint64_t last_sequence_ = 0;
    std::uint64_t last_file_ = 0;
    std::uint64_t trace_ = 0xcbf29ce484222325;
    bool stalled_ = false;
};

}  // namespace sheaf::io
