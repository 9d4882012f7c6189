#include "vmm/debug/server.h"

namespace sheaf::vmm::debug {

io::Task<void> Server::run(Beginning beginning) {
    if (beginning == Beginning::wait) co_await around_.processors.halt();
    tasks_.start(listen());
    co_await tasks_.join();
}

io::Task<void> Server::listen() {
    while (true) {
        auto socket = co_await around_.loop.accept(listener_.get());
        if (session_) {
            around_.log.warning("a second debugger is turned away while one is connected");
            continue;
        }
        tasks_.start(serve(std::move(socket)));
    }
}

io::Task<void> Server::serve(Fd socket) {
    auto session = Session{around_, std::move(socket)};
    session_ = &session;
    // How it ended is logged; the next debugger is as welcome.
    static_cast<void>(co_await session.run().result());
    session_ = nullptr;
}

void Server::machine_ended() {
    if (session_) session_->machine_ended();
}

}  // namespace sheaf::vmm::debug
