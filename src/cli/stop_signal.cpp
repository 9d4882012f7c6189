#include "cli/stop_signal.h"

#include <sys/signalfd.h>

#include <csignal>

#include "node/keeper.h"

namespace sheaf::cli {

Result<Fd> open_stop_signals() {
    return node::open_signals();
}

io::Task<void> wait_for_signal(io::Loop& loop, int signals) {
    signalfd_siginfo info{};
    while (info.ssi_signo != SIGTERM && info.ssi_signo != SIGINT && info.ssi_signo != SIGHUP)
        co_await loop.read_stream(signals, std::as_writable_bytes(std::span{&info, 1}));
}

}  // namespace sheaf::cli
