#include "storage/replica/node_ways.h"

#include "storage/replica/membership.h"
#include "storage/replica/remote_replica.h"

namespace sheaf::replica {

io::Task<std::unique_ptr<Replica>> NodeWays::open(std::string node) {
    if (here_ && node == node_) co_return here_->session();
    const auto* place = record_.find(node);
    if (!place) co_await fail(Kind::not_found, "the store does not say where node {} is", node);
    const auto address = co_await parse_address(place->address);
    auto stream = co_await dialer_.open(address, node);
    Hello hello;
    hello.volume = co_await parse_id(record_.id);
    hello.node = node_;
    hello.to = std::move(node);
    co_return co_await RemoteReplica::open(dialer_.loop(), std::move(stream), std::move(hello));
}

}  // namespace sheaf::replica
