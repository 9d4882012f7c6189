#include "control/controllers.h"

#include <filesystem>

namespace sheaf::control {

namespace {

// An import moves as much as the host's disk and network can: more of them at once are not faster.
constexpr ControllerLimits imports{.most_at_once = 2};
// A start waits for the host's disk more than for its processors.
constexpr ControllerLimits many_machines{.most_at_once = 16};
constexpr ControllerLimits alone{.most_at_once = 1};

// A keeper has a working directory of its own.
MachinePlaces places_in(const std::string& state_directory) {
    const auto absolute = std::filesystem::absolute(state_directory).native();
    return {.pool = absolute + "/pool", .kernels = absolute + "/kernels"};
}

}  // namespace

Controllers::Controllers(Host host, api::Objects& objects)
    : logger_(host.logger),
      supervisor_(host.machines),
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
      instances_({client_, events_, host.machines, links_, places_in(host.state_directory),
                  look_at_host(host.state_directory).name}),
      machines_(client_, events_, host.machines),
      manager_(host.loop, client_, host.logger) {
    manager_.add(volumes_, host.random);
    manager_.add(images_, host.random, imports);
    manager_.add(snapshots_, host.random);
    manager_.add(claims_, host.random);
    manager_.add(data_volumes_, host.random);
    manager_.add(networks_, host.random);
    manager_.add(node_, host.random, alone);
    manager_.add(instances_, host.random, many_machines);
    manager_.add(machines_, host.random);
    supervisor_.on_change([this](const std::string& uid) { machine_changed(uid); });
}

Controllers::~Controllers() {
    supervisor_.on_change([](const std::string&) {});
}

// A keeper has told something, or has gone.
void Controllers::machine_changed(const std::string& uid) {
    const auto* machine = supervisor_.find(uid);
    if (!machine) return;
    const auto slash = machine->name.find('/');
    if (slash == machine->name.npos) return;
    ObjectKey key{machine->name.substr(0, slash), machine->name.substr(slash + 1)};
    manager_.look_again(instances_, key);
}

io::Task<void> Controllers::run() {
    const auto made = co_await ensure_default_network(client_, links_).result();
    if (!made)
        logger_.warning("the network default is not made", {{"reason", made.error().text()}});
    co_await manager_.run();
}

}  // namespace sheaf::control
