#pragma once

// Why: start, stop and their like are verbs on machines and no objects of their own. Half of them
// change the object, as KubeVirt does, so whoever acts on it needs nothing else; the other half go
// to who runs the machine (docs/api.md, Verbs of machines).

#include <array>
#include <string_view>

#include "api/machine_actions.h"
#include "api/objects.h"

namespace sheaf::api {

inline constexpr std::string_view subresources_group = "subresources.kubevirt.io";
inline constexpr std::string_view subresources_version = "v1";

struct MachineCall {
    const Kind* kind = nullptr;  // the machine's, or the instance's
    std::string name_space;
    std::string name;
    std::string verb;  // one of those of the kind
    Place place() const { return {kind, name_space, name, false}; }
};

inline constexpr std::array<std::string_view, 3> verbs_of_machines{"restart", "start", "stop"};
inline constexpr std::array<std::string_view, 4> verbs_of_instances{"console", "pause",
                                                                    "softreboot", "unpause"};

// Loop thread only. What is passed outlives it; without `actions` nothing runs here.
class MachineVerbs {
  public:
    MachineVerbs(Objects& objects, MachineActions* actions)
        : objects_(objects), actions_(actions) {}

    // Everything but the console. `body`: the options, as JSON; may be empty.
    io::Task<Answer> run(MachineCall call, std::string body);
    // The console of a running instance.
    io::Task<std::expected<std::unique_ptr<io::ByteStream>, Answer>> open_console(MachineCall call);

  private:
    struct State;
    io::Task<std::expected<State, Answer>> read(MachineCall call);
    io::Task<Answer> change(MachineCall call, Json options);
    io::Task<Answer> act(MachineCall call, Json options);

    Objects& objects_;
    MachineActions* actions_;
};

}  // namespace sheaf::api
