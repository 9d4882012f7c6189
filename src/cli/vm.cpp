#include "cli/vm.h"

#include <array>

namespace sheaf::cli {

namespace {

constexpr auto sub_verbs = std::to_array<const Verb*>({
    &vm_create_verb,
    &vm_list_verb,
    &vm_show_verb,
    &vm_start_verb,
    &vm_stop_verb,
    &vm_restart_verb,
    &vm_pause_verb,
    &vm_unpause_verb,
    &vm_console_verb,
    &vm_logs_verb,
    &vm_delete_verb,
});

}  // namespace

Resource machine_resource() {
    return {.group = "kubevirt.io",
            .version = "v1",
            .plural = "virtualmachines",
            .singular = "virtualmachine",
            .kind = "VirtualMachine",
            .namespaced = true};
}

Resource volume_resource() {
    return {.group = "sheaf.io",
            .version = "v1",
            .plural = "volumes",
            .singular = "volume",
            .kind = "Volume",
            .namespaced = true};
}

std::string action_path(std::string_view name_space, std::string_view plural, std::string_view name,
                        std::string_view action) {
    return fmt::format("/apis/subresources.kubevirt.io/v1/namespaces/{}/{}/{}/{}",
                       url_part(name_space), plural, url_part(name), action);
}

constinit const Verb vm_verb = {
    .name = "vm",
    .summary = "machines that the daemon keeps: make, list, start, stop, reach, delete them",
    .options = {},
    .details =
        "What is made here are objects like any other: sheaf get vm, sheaf edit vm NAME and\n"
        "kubectl work with them too.",
    .example =
        "sheaf vm create web --image debian --memory 1Gi --disk 20Gi --ssh-key "
        "~/.ssh/id_ed25519.pub --start",
    .main = nullptr,
    .operands = {},
    .verbs = sub_verbs,
};

}  // namespace sheaf::cli
