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
inline constexpr std::array<std::string_view, 5> verbs_of_instances{"console", "log", "pause",
                                                                    "softreboot", "unpause"};
// Which of them show something, where the others do something.
inline bool is_shown(std::string_view verb) {
    return verb == "console" || verb == "log";
}
// Of the guest's console, what a client wants to see: as of a Pod's log.
struct LogOptions {
    bool follow = false;
    std::optional<std::size_t> lines;  // none: all that is kept
};

// Loop thread only. What is passed outlives it; without `actions` nothing runs here.
class MachineVerbs {
  public:
    MachineVerbs(Objects& objects, MachineActions* actions)
        : objects_(objects), actions_(actions) {}

    // Everything but console and log. `body`: the options, as JSON; may be empty.
    io::Task<Answer> run(MachineCall call, std::string body);
    // The console of a running instance.
    using Stream = std::expected<std::unique_ptr<io::ByteStream>, Answer>;
    io::Task<Stream> open_console(MachineCall call);
    // What an instance printed, also one that has ended. The stream is null where nothing follows,
    // and the text is all.
    struct Log {
        std::string text;
        std::unique_ptr<io::ByteStream> stream;
    };
    io::Task<std::expected<Log, Answer>> open_log(MachineCall call, LogOptions options);

  private:
    struct State;
    io::Task<std::expected<State, Answer>> read(MachineCall call);
    io::Task<Answer> change(MachineCall call, Json options);
    io::Task<Answer> act(MachineCall call, Json options);

    Objects& objects_;
    MachineActions* actions_;
};

}  // namespace sheaf::api
