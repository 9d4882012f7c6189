#include "storage/replica/replica_server.h"

namespace sheaf::replica {

void ReplicaServer::admit(std::unique_ptr<io::ByteStream> stream, Caller caller) {
    if (ending_ || sessions_.size() >= most_connections) return;
    sessions_.emplace_back(loop_, std::move(stream), std::move(caller), terms_);
    group_.start(serve(std::prev(sessions_.end())));
}

// Of an engine that only went away nothing is said.
io::Task<void> ReplicaServer::serve(std::list<ServerSession>::iterator session) {
    const auto outcome = co_await session->serve().result();
    const auto quiet = outcome || outcome.error().kind() == Kind::cancelled ||
                       outcome.error().kind() == Kind::unavailable;
    if (!quiet)
        logger_.warning("an engine's connection was cut off",
                        {{"node", session->node()}, {"reason", outcome.error().text()}});
    sessions_.erase(session);
}

io::Task<void> ReplicaServer::shut_down() {
    ending_ = true;
    for (auto& session : sessions_) session.finish_up();
    co_await group_.join();
}

io::Task<void> ReplicaServer::abandon() {
    ending_ = true;
    group_.cancel();
    static_cast<void>(co_await group_.join().result());  // each was told to end
}

}  // namespace sheaf::replica
