#include "cli/nbd_service.h"

#include <unistd.h>

#include "cli/pool_verb.h"
#include "cli/stop_signal.h"

namespace sheaf::cli {

namespace {

io::Task<void> stop_after(io::Task<void> over, nbd::Server& server) {
    co_await std::move(over);
    server.stop();
}

io::Task<void> never() {
    io::Event nothing;
    co_await nothing.wait();
}

}  // namespace

Result<nbd::Listener> listen_for_nbd(const Arguments& arguments) {
    const auto path = TRY(arguments.one("socket"));
    const auto address = TRY(arguments.one("listen"));
    if (path.empty() == address.empty())
        return fail(Kind::invalid, "one of --socket and --listen is needed");
    return path.empty() ? nbd::Listener::at_address(address) : nbd::Listener::at_path(path);
}

io::Task<void> serve_nbd(io::Loop& loop, const nbd::Listener& listener, NbdService service,
                         io::Task<void> over) {
    co_await print(fmt::format("serving {} at {}\n", service.what, listener.uri()));
    const Logger logger{STDERR_FILENO, LogLevel::info};
    nbd::Server server{loop, service.exports, logger};
    io::TaskGroup serving;
    io::TaskGroup waiting;
    serving.start(server.serve(listener.descriptor()));
    waiting.start(stop_after(wait_for_signal(loop, service.signals), server));
    waiting.start(stop_after(std::move(over), server));
    auto served = co_await serving.join().result();
    waiting.cancel();
    static_cast<void>(co_await waiting.join().result());  // its end was asked for
    co_await std::move(served);
}

io::Task<void> serve_nbd(io::Loop& loop, const nbd::Listener& listener, NbdService service) {
    co_await serve_nbd(loop, listener, std::move(service), never());
}

}  // namespace sheaf::cli
