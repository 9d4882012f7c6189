#pragma once

// Why: an instance says what it wants in KubeVirt's words and by the names of other objects; a
// keeper is told files, volumes and numbers.

#include "control/dependents.h"
#include "control/link_service.h"
#include "control/object_client.h"
#include "node/machine_host.h"

namespace sheaf::control {

// Where what objects name is on this host.
struct MachinePlaces {
    std::string pool;     // of volumes
    std::string kernels;  // the directory of images of kind kernel
};

// Loop thread. Whatever is passed outlives it.
class MachinePlanner {
  public:
    MachinePlanner(ObjectClient& client, const node::MachineHost& host, Dependents& dependents,
                   MachinePlaces places)
        : client_(client), host_(host), dependents_(dependents), places_(std::move(places)) {}

    // Fails with unavailable, saying for what, where something it needs is not ready: the
    // dependents tell when to look again. invalid and unsupported: waiting does not help.
    struct Planned {
        node::MachinePlan machine;
        std::vector<WantedTap> taps;  // that are to be there before it is started
    };
    io::Task<Planned> plan(Json instance);

  private:
    struct Draft {
        Json instance;
        ObjectKey key;
        std::string uid;
        node::MachinePlan plan;
        std::vector<WantedTap> taps;
    };
    io::Task<void> add_start(Draft& draft);
    io::Task<void> add_disk(Draft& draft, const Json& disk);
    io::Task<void> add_volume(Draft& draft, std::string name, node::DiskOption& option);
    io::Task<void> add_seed(Draft& draft, const Json& volume);
    io::Task<void> add_interfaces(Draft& draft);
    io::Task<void> add_default_network(Draft& draft);
    void add_tap(Draft& draft, const Json& network, std::string mac);
    io::Task<Json> ready(const Draft& draft, const api::Kind& kind, std::string name);

    ObjectClient& client_;
    const node::MachineHost& host_;
    Dependents& dependents_;
    MachinePlaces places_;
};

// The tap of a machine's interface, by its number. Short enough for a link, whatever the uid is.
std::string tap_name(std::string_view uid, std::size_t interface);
// How many an instance may have.
std::size_t count_of_taps(const Json& instance);

// What an instance asks for: processors, and bytes of memory that the guest sees.
struct MachineSize {
    unsigned cpus = 1;
    std::uint64_t memory = 0;
};
Result<MachineSize> size_of_machine(const Json& instance);
// What it must not pass; memory with what keeper and VMM need beside the guest's.
Result<node::MachineCaps> caps_of_machine(const Json& instance, std::uint64_t memory);

}  // namespace sheaf::control
