#pragma once

// Why: one debugger's connection, from its first packet to its end. Only what is a packet stops the
// guest, and however the connection ends, no breakpoint is left and the guest goes on.

#include "base/fd.h"
#include "base/log.h"
#include "io/loop.h"
#include "io/task_group.h"
#include "vmm/debug/packet.h"
#include "vmm/debug/processors.h"
#include "vmm/ending.h"

namespace sheaf::vmm::debug {

class Session {
  public:
    struct Surroundings {
        io::Loop& loop;
        Processors& processors;
        EndingSink& sink;  // hears that the debugger killed the machine
        const Logger& log;
    };

    // Takes the connected socket. The surroundings outlive it. Loop thread.
    Session(const Surroundings& around, Fd socket);

    // Serves the debugger until it leaves, or says something that makes no sense, which is logged
    // once. Once.
    io::Task<void> run();
    // The machine has ended: tells a debugger that is attached, as far as its socket takes it.
    void machine_ended();

  private:
    io::Task<void> receive();
    io::Task<void> serve();
    io::Task<void> take_input();
    io::Task<void> tell_stop();
    io::Task<void> answer(std::string packet);
    io::Task<void> stop_here();
    io::Task<void> say(std::string payload);
    io::Task<void> send(std::string text);
    io::Task<void> let_go();

    Surroundings around_;
    Fd socket_;
    Commands commands_;
    FrameReader reader_;
    std::vector<std::byte> buffer_;
    std::span<const std::byte> input_;  // what has arrived and was not looked at
    std::string last_said_;             // as a frame
    io::Event news_;                    // of the debugger or of the processors
    io::Event taken_;                   // the input is used up
    bool hung_up_ = false;
    bool over_ = false;  // it was let go or killed: nothing more is expected
    bool attached_ = false;
    bool in_guest_ = true;  // the guest goes on until the next stop
    bool acknowledges_ = true;
};

}  // namespace sheaf::vmm::debug
