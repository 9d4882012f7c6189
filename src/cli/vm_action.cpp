#include <array>

#include "cli/vm.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({namespace_option, socket_option});
constexpr auto stop_options = std::to_array<Option>(
    {{"force", "", "at once, as if its power were cut"}, namespace_option, socket_option});
constexpr auto operands = std::to_array<Operand>({{"NAME", "which machine"}});

struct Action {
    std::string_view plural;
    std::string_view name;
    std::string_view said;
};

Result<void> ask_for(const Arguments& arguments, Action action) {
    const auto name_space = TRY(namespace_of(arguments));
    const auto client = TRY(ApiClient::of(arguments));
    ApiRequest request{
        .method = "PUT",
        .target = action_path(name_space, action.plural, arguments.operand(0), action.name)};
    if (arguments.has("force")) request.body = R"({"gracePeriod":0})";
    TRY(client->tell(std::move(request)));
    return print(
        fmt::format("{} {}\n", machine_resource().title(arguments.operand(0)), action.said));
}

constexpr std::string_view machines = "virtualmachines";
constexpr std::string_view instances = "virtualmachineinstances";

Result<void> start(const Arguments& arguments) {
    return ask_for(arguments, {machines, "start", "is starting"});
}
Result<void> stop(const Arguments& arguments) {
    return ask_for(arguments, {machines, "stop", "is stopping"});
}
Result<void> restart(const Arguments& arguments) {
    return ask_for(arguments, {machines, "restart", "is restarting"});
}
Result<void> pause(const Arguments& arguments) {
    return ask_for(arguments, {instances, "pause", "is paused"});
}
Result<void> unpause(const Arguments& arguments) {
    return ask_for(arguments, {instances, "unpause", "goes on"});
}

int start_main(std::span<char*> arguments) {
    return main_of(vm_start_verb, arguments, start);
}
int stop_main(std::span<char*> arguments) {
    return main_of(vm_stop_verb, arguments, stop);
}
int restart_main(std::span<char*> arguments) {
    return main_of(vm_restart_verb, arguments, restart);
}
int pause_main(std::span<char*> arguments) {
    return main_of(vm_pause_verb, arguments, pause);
}
int unpause_main(std::span<char*> arguments) {
    return main_of(vm_unpause_verb, arguments, unpause);
}

}  // namespace

constinit const Verb vm_start_verb = {
    .name = "vm start",
    .summary = "start a machine",
    .options = options,
    .details = {},
    .example = "sheaf vm start web",
    .main = start_main,
    .operands = operands,
};

constinit const Verb vm_stop_verb = {
    .name = "vm stop",
    .summary = "stop a machine: its power button, and force after its grace period",
    .options = stop_options,
    .details = {},
    .example = "sheaf vm stop web",
    .main = stop_main,
    .operands = operands,
};

constinit const Verb vm_restart_verb = {
    .name = "vm restart",
    .summary = "stop a machine and start it again",
    .options = options,
    .details = {},
    .example = "sheaf vm restart web",
    .main = restart_main,
    .operands = operands,
};

constinit const Verb vm_pause_verb = {
    .name = "vm pause",
    .summary = "hold a machine where it is",
    .options = options,
    .details = {},
    .example = "sheaf vm pause web",
    .main = pause_main,
    .operands = operands,
};

constinit const Verb vm_unpause_verb = {
    .name = "vm unpause",
    .summary = "let a machine that is held go on",
    .options = options,
    .details = {},
    .example = "sheaf vm unpause web",
    .main = unpause_main,
    .operands = operands,
};

}  // namespace sheaf::cli
