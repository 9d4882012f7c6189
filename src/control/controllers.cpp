#include "control/controllers.h"

namespace sheaf::control {

namespace {

// An import moves as much as the host's disk and network can: more of them at once are not faster.
constexpr ControllerLimits imports{.most_at_once = 2};
constexpr ControllerLimits alone{.most_at_once = 1};

}  // namespace

Controllers::Controllers(Host host, api::Objects& objects)
    : logger_(host.logger),
      client_(objects),
      events_(host.loop, client_, host.logger),
      pool_(host.loop, host.state_directory),
      links_(host.loop),
      volumes_(client_, events_, pool_),
      images_(host.loop, client_, events_, pool_),
      snapshots_(client_, events_, pool_),
      claims_(client_, events_),
      data_volumes_(client_, events_),
      networks_(client_, events_, links_),
      node_(host.loop, client_, events_,
            [directory = host.state_directory] { return look_at_host(directory); }),
      manager_(host.loop, client_, host.logger) {
    manager_.add(volumes_, host.random);
    manager_.add(images_, host.random, imports);
    manager_.add(snapshots_, host.random);
    manager_.add(claims_, host.random);
    manager_.add(data_volumes_, host.random);
    manager_.add(networks_, host.random);
    manager_.add(node_, host.random, alone);
}

io::Task<void> Controllers::run() {
    const auto made = co_await ensure_default_network(client_, links_).result();
    if (!made)
        logger_.warning("the network default is not made", {{"reason", made.error().text()}});
    co_await manager_.run();
}

}  // namespace sheaf::control
