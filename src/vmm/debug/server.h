#pragma once

// Why: where debuggers of a machine connect: one at a time, again and again, and before the
// machine's first instruction where that is wanted (docs/debugging.md).

#include "vmm/debug/session.h"

namespace sheaf::vmm::debug {

// Whether the guest runs before a debugger lets it.
enum class Beginning { run, wait };

class Server {
  public:
    // Takes the listening socket. The surroundings outlive it. Loop thread.
    Server(const Session::Surroundings& around, Fd listener)
        : around_(around), listener_(std::move(listener)) {}

    // Until it is cancelled. With Beginning::wait no processor enters the guest any more when this
    // first waits, so it is started before they are.
    io::Task<void> run(Beginning beginning);
    // The machine has ended; before run() is cancelled.
    void machine_ended();

  private:
    io::Task<void> listen();
    io::Task<void> serve(Fd socket);

    Session::Surroundings around_;
    Fd listener_;
    io::TaskGroup tasks_;
    Session* session_ = nullptr;
};

}  // namespace sheaf::vmm::debug
