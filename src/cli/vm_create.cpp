#include <array>
#include <cstdio>

#include "cli/vm.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"image", "IMAGE", "what its disk begins as"},
    {"disk", "SIZE", "of its disk, for example 20Gi"},
    {"kernel", "IMAGE", "boots this kernel instead of its disk"},
    {"kernel-args", "TEXT", "the kernel's command line"},
    {"cpus", "N", "virtual CPUs (default: 1)"},
    {"memory", "SIZE", "guest memory (default: 512Mi)"},
    {"network", "NETWORK", "where its interface is (default: the network named default)"},
    {"ssh-key", "FILE", "a public key that may log in, for images with cloud-init"},
    {"start", "", "and start it"},
    namespace_option,
    socket_option,
});
constexpr auto operands = std::to_array<Operand>({{"NAME", "what it is to be called"}});

// Sizes go to the server as they are: it says what is wrong with them. What it cannot know are the
// files of this host.
Result<NewMachine> parse_machine(const Arguments& arguments) {
    NewMachine machine;
    machine.name = arguments.operand(0);
    machine.image = TRY(arguments.one("image"));
    machine.kernel = TRY(arguments.one("kernel"));
    machine.kernel_arguments = TRY(arguments.one("kernel-args"));
    machine.size = TRY(arguments.one("disk"));
    machine.memory = TRY(arguments.one("memory", "512Mi"));
    machine.cpus = TRY_WITHIN(parse_number(TRY(arguments.one("cpus", "1")), 1, 254), "--cpus");
    machine.network = TRY(arguments.one("network"));
    machine.starts = arguments.has("start");
    if (machine.image.empty() && machine.kernel.empty())
        return fail(Kind::invalid, "--image is missing, or --kernel: it has nothing to start from");
    if (!machine.image.empty() && machine.size.empty())
        return fail(Kind::invalid, "--disk is missing: how large its disk is to be");
    if (!arguments.has("ssh-key")) return machine;
    const auto file = TRY(arguments.one("ssh-key"));
    machine.ssh_key =
        TRY_WITHIN(parse_ssh_key(TRY_WITHIN(read_text(file), "--ssh-key")), "--ssh-key {}", file);
    return machine;
}

// The disk first; where there can be no machine, it goes again.
Result<void> create(const Arguments& arguments) {
    const auto machine = TRY(parse_machine(arguments));
    const auto name_space = TRY(namespace_of(arguments));
    const auto client = TRY(ApiClient::of(arguments));
    const auto volume = volume_object(machine);
    const auto volumes = volume_resource();
    const auto resource = machine_resource();
    const auto target = resource.path(name_space);
    const auto body = machine_object(machine).text();
    // What is refused is so before its disk is made, for a disk takes a while to go.
    TRY(client->ask({.method = "POST", .target = target + "?dryRun=All", .body = body}));
    if (!volume.is_null())
        TRY(client->ask(
            {.method = "POST", .target = volumes.path(name_space), .body = volume.text()}));
    const auto made = client->ask({.method = "POST", .target = target, .body = body});
    if (made) return print(fmt::format("{} created\n", resource.title(machine.name)));
    if (volume.is_null()) return Failure{made.error()};
    const auto name = volume.text_at({"metadata", "name"});
    const auto removed =
        client->ask({.method = "DELETE", .target = volumes.path(name_space, name)});
    if (!removed)
        std::fputs(fmt::format("sheaf vm create: its disk stays as volume {}: {}\n", name,
                               removed.error().text())
                       .c_str(),
                   stderr);
    return Failure{made.error()};
}

int create_main(std::span<char*> arguments) {
    return main_of(vm_create_verb, arguments, create);
}

}  // namespace

constinit const Verb vm_create_verb = {
    .name = "vm create",
    .summary = "make a machine, and its disk from an image",
    .options = options,
    .details =
        "The disk is the Volume NAME-root. Nothing is left where it fails. Without --start the\n"
        "machine is there, and does not run.",
    .example =
        "sheaf vm create web --image debian --disk 20Gi --cpus 2 --memory 1Gi --start\n"
        "  sheaf vm create probe --kernel linux --kernel-args console=ttyS0",
    .main = create_main,
    .operands = operands,
};

}  // namespace sheaf::cli
