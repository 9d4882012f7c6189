#include <algorithm>

#include "cli/vm.h"
#include "cli/yaml_write.h"

namespace sheaf::cli {

namespace {

constexpr std::string_view machine_label = "sheaf.io/machine";
constexpr std::string_view disk_name = "root";
constexpr std::string_view seed_name = "cloud-init";

std::string disk_volume(const NewMachine& machine) {
    return machine.name + "-root";
}

bool has_disk(const NewMachine& machine) {
    return !machine.size.empty();
}

Json named(std::string_view name) {
    return Json::object({{"name", name}});
}

void add_disk(Json& devices, std::string_view name) {
    auto disk = named(name);
    disk["disk"] = Json::object({{"bus", "virtio"}});
    if (!devices["disks"].array()) devices["disks"] = Json::Array{};
    devices["disks"].array()->push_back(std::move(disk));
}

// What cloud-init does at the first start: the key is of the user that the image has.
std::string user_data(const NewMachine& machine) {
    const auto config = Json::object({{"ssh_authorized_keys", Json::Array{machine.ssh_key}}});
    return "#cloud-config\n" + to_yaml(config);
}

Json domain_of(const NewMachine& machine) {
    auto domain = Json::object({});
    domain["cpu"] = Json::object({{"cores", static_cast<std::int64_t>(machine.cpus)}});
    domain["memory"] = Json::object({{"guest", machine.memory}});
    auto& devices = domain["devices"];
    devices = Json::object({});
    if (has_disk(machine)) add_disk(devices, disk_name);
    if (!machine.ssh_key.empty()) add_disk(devices, seed_name);
    if (!machine.network.empty()) {
        auto interface = named("net");
        interface["bridge"] = Json::object({});
        devices["interfaces"] = Json::Array{std::move(interface)};
    }
    if (!machine.kernel.empty()) {
        auto& boot = domain["firmware"]["kernelBoot"];
        boot["container"] = Json::object({{"image", machine.kernel}});
        if (!machine.kernel_arguments.empty()) boot["kernelArgs"] = machine.kernel_arguments;
    }
    return domain;
}

}  // namespace

Json volume_object(const NewMachine& machine) {
    if (!has_disk(machine)) return {};
    auto spec = Json::object({{"size", machine.size}});
    if (!machine.image.empty()) spec["source"] = Json::object({{"image", machine.image}});
    auto metadata = named(disk_volume(machine));
    metadata["labels"] = Json::object({{std::string{machine_label}, machine.name}});
    return Json::object({{"apiVersion", "sheaf.io/v1"},
                         {"kind", "Volume"},
                         {"metadata", std::move(metadata)},
                         {"spec", std::move(spec)}});
}

Json machine_object(const NewMachine& machine) {
    auto inner = Json::object({{"domain", domain_of(machine)}});
    Json::Array volumes;
    if (has_disk(machine)) {
        auto volume = named(disk_name);
        volume["persistentVolumeClaim"] = Json::object({{"claimName", disk_volume(machine)}});
        volumes.push_back(std::move(volume));
    }
    if (!machine.ssh_key.empty()) {
        auto volume = named(seed_name);
        volume["cloudInitNoCloud"] = Json::object({{"userData", user_data(machine)}});
        volumes.push_back(std::move(volume));
    }
    if (!volumes.empty()) inner["volumes"] = std::move(volumes);
    if (!machine.network.empty()) {
        auto network = named("net");
        network["multus"] = Json::object({{"networkName", machine.network}});
        inner["networks"] = Json::Array{std::move(network)};
    }
    auto spec = Json::object({{"runStrategy", machine.starts ? "Always" : "Halted"}});
    spec["template"]["spec"] = std::move(inner);
    return Json::object({{"apiVersion", "kubevirt.io/v1"},
                         {"kind", "VirtualMachine"},
                         {"metadata", named(machine.name)},
                         {"spec", std::move(spec)}});
}

Result<std::string> parse_ssh_key(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    const auto begins = [&](std::string_view word) { return text.starts_with(word); };
    if (text.contains("PRIVATE KEY"))
        return fail(Kind::invalid, "it is a private key; the public one is the file with .pub");
    const bool known = begins("ssh-") || begins("ecdsa-sha2-") || begins("sk-");
    const bool printable =
        std::ranges::all_of(text, [](unsigned char letter) { return letter >= ' '; });
    if (!known || !printable || !text.contains(' '))
        return fail(Kind::invalid, "it is not one line with a public key of OpenSSH");
    return std::string{text};
}

}  // namespace sheaf::cli
