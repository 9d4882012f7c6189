#include "control/machine_plan.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "api/kinds.h"
#include "api/quantity.h"
#include "control/cloud_init.h"
#include "control/conditions.h"
#include "control/pool_service.h"
#include "node/firmware.h"

namespace sheaf::control {

namespace {

constexpr std::uint64_t most_cpus = 254;  // local APIC identifiers of one byte
constexpr std::uint64_t least_memory = 2_MiB;
constexpr std::uint64_t most_memory = 16 * 1024_GiB;
constexpr std::uint64_t page = 4_KiB;
constexpr auto default_network = "default";
constexpr std::uint64_t beside_guest =
    64_MiB;  // of keeper, VMM and what the kernel counts as theirs

const Json* domain_of(const Json& instance) {
    return instance.at({"spec", "domain"});
}

std::uint64_t number_at(const Json& object, Json::Names path) {
    const auto* number = object.at(path);
    const auto value = number ? number->integer() : std::nullopt;
    return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 1;
}

bool is_true(const Json& object, Json::Names path) {
    const auto* flag = object.at(path);
    return flag && flag->boolean() && *flag->boolean();
}

const Json* find_named(const Json& parent, Json::Names path, std::string_view name) {
    const auto* list = parent.at(path);
    if (!list || !list->array()) return nullptr;
    for (const auto& one : *list->array())
        if (one.text_at({"name"}) == name) return &one;
    return nullptr;
}

// None where it has no list, or an empty one.
const Json::Array* interfaces_of(const Json& instance) {
    const auto* list = instance.at({"spec", "domain", "devices", "interfaces"});
    return list && list->array() && !list->array()->empty() ? list->array() : nullptr;
}

// Each start of a machine is the same guest.
std::string identity_of(const Json& instance) {
    const auto* owners = instance.at({"metadata", "ownerReferences"});
    const bool owned = owners && owners->array() && !owners->array()->empty();
    return std::string{owned ? owners->array()->front().text_at({"uid"})
                             : instance.text_at({"metadata", "uid"})};
}

// Locally administered, and the same at each start. FNV-1a, as short texts need no more.
std::string mac_of(const Json& instance, std::size_t interface) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char letter : fmt::format("{}/{}", identity_of(instance), interface))
        hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
    return fmt::format("52:54:{:02x}:{:02x}:{:02x}:{:02x}", hash >> 24 & 0xff, hash >> 16 & 0xff,
                       hash >> 8 & 0xff, hash & 0xff);
}

// A whole number of bytes that is a disk's size.
Result<std::uint64_t> disk_size(const Json& volume, std::string_view source) {
    const auto size = TRY(api::quantity_at(volume, {source, "capacity"}));
    if (!size || *size == 0 || *size > most_memory)
        return fail(Kind::invalid, "volume {}: {} needs a capacity", volume.text_at({"name"}),
                    source);
    return (*size + page - 1) / page * page;
}

// A file of the host, made where that is asked for.
Result<void> provide_host_disk(const Json& volume) {
    const std::string path{volume.text_at({"hostDisk", "path"})};
    if (!path.starts_with('/'))
        return fail(Kind::invalid, "volume {}: hostDisk.path is absolute",
                    volume.text_at({"name"}));
    if (volume.text_at({"hostDisk", "type"}) != "DiskOrCreate") return {};
    const auto size = TRY(disk_size(volume, "hostDisk"));
    auto made =
        checked_fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600),
                   "{}", path);
    if (!made && made.error().kind() == Kind::exists) return {};
    const auto file = TRY(std::move(made));
    TRY(checked(::ftruncate(file.get(), static_cast<off_t>(size)), "{}", path));
    return {};
}

}  // namespace

// Of the uid's random digits so many that two machines of a host do not meet.
std::string tap_name(std::string_view uid, std::size_t interface) {
    return fmt::format("sv{}n{}", uid.substr(0, 8), interface);
}

std::size_t count_of_taps(const Json& instance) {
    const auto* interfaces = interfaces_of(instance);
    return interfaces ? interfaces->size() : 1;
}

Result<MachineSize> size_of_machine(const Json& instance) {
    const auto& domain = *domain_of(instance);
    auto cpus = number_at(domain, {"cpu", "cores"}) * number_at(domain, {"cpu", "sockets"}) *
                number_at(domain, {"cpu", "threads"});
    if (!domain.find("cpu"))
        for (const std::string_view from : {"limits", "requests"})
            if (const auto wanted = TRY(api::quantity_at(domain, {"resources", from, "cpu"})))
                cpus = std::max<std::uint64_t>(1, *wanted);
    if (cpus > most_cpus)
        return fail(Kind::unsupported, "{} processors are more than {}", cpus, most_cpus);
    auto memory = TRY(api::quantity_at(domain, {"memory", "guest"}));
    for (const std::string_view from : {"requests", "limits"})
        if (!memory) memory = TRY(api::quantity_at(domain, {"resources", from, "memory"}));
    if (!memory)
        return fail(Kind::invalid,
                    "spec.domain.memory.guest or resources.requests.memory is needed");
    if (*memory < least_memory || *memory > most_memory)
        return fail(Kind::unsupported, "a guest has 2Mi to 16Ti of memory, not {}",
                    api::quantity_text(*memory));
    return MachineSize{static_cast<unsigned>(cpus), (*memory + page - 1) / page * page};
}

Result<node::MachineCaps> caps_of_machine(const Json& instance, std::uint64_t memory) {
    const auto& domain = *domain_of(instance);
    auto caps = node::MachineCaps{};
    caps.cpu = TRY(api::quantity_at(domain, {"resources", "limits", "cpu"}, 1000));
    caps.memory = TRY(api::quantity_at(domain, {"resources", "limits", "memory"}));
    if (caps.memory) caps.memory = std::max(*caps.memory, memory) + beside_guest;
    return caps;
}

io::Task<MachinePlanner::Planned> MachinePlanner::plan(Json instance) {
    Draft draft{
        instance, key_of(instance), std::string{instance.text_at({"metadata", "uid"})}, {}, {}};
    auto& file = draft.plan.file;
    file.uid = draft.uid;
    file.name = draft.key.text();
    const auto size = co_await size_of_machine(instance);
    file.cpus = size.cpus;
    file.memory = size.memory;
    draft.plan.caps = co_await caps_of_machine(instance, size.memory);
    co_await add_start(draft);
    const auto* disks = draft.instance.at({"spec", "domain", "devices", "disks"});
    if (disks && disks->array())
        for (const auto& disk : *disks->array()) co_await add_disk(draft, disk);
    co_await add_interfaces(draft);
    co_return Planned{std::move(draft.plan), std::move(draft.taps)};
}

// Another object that has to be ready first.
io::Task<Json> MachinePlanner::ready(const Draft& draft, const api::Kind& kind, std::string name) {
    ObjectKey other{draft.key.name_space, name};
    dependents_.wait(draft.key, kind, other);
    auto object = co_await client_.get(kind, other);
    if (!object) co_await fail(Kind::unavailable, "{} {} is not there", kind.name, name);
    if (!is_condition(*object, "Ready", yes))
        co_await fail(Kind::unavailable, "{} {} is not ready", kind.name, name);
    co_return *std::move(object);
}

io::Task<void> MachinePlanner::add_start(Draft& draft) {
    auto& file = draft.plan.file;
    const auto* boot = draft.instance.at({"spec", "domain", "firmware", "kernelBoot"});
    if (!boot) {
        file.firmware = node::uefi;
        if (file.cpus > node::uefi_most_cpus)
            co_await fail(Kind::unsupported, "UEFI starts at most {} processors",
                          node::uefi_most_cpus);
        co_return;
    }
    const std::string image{boot->text_at({"container", "image"})};
    if (image.empty())
        co_await fail(Kind::invalid, "spec.domain.firmware.kernelBoot.container.image is needed");
    const auto found = co_await ready(draft, api::image_kind, image);
    if (found.text_at({"spec", "kind"}) != "kernel")
        co_await fail(Kind::invalid, "image {} is no kernel", image);
    file.kernel = places_.kernels + "/" + pool_name_of(found);
    file.command_line = boot->find("kernelArgs") ? std::string{boot->text_at({"kernelArgs"})}
                                                 : node::RunOptions{}.command_line;
}

io::Task<void> MachinePlanner::add_disk(Draft& draft, const Json& disk) {
    const std::string name{disk.text_at({"name"})};
    const auto* volume = find_named(draft.instance, {"spec", "volumes"}, name);
    if (!volume) co_await fail(Kind::invalid, "disk {} has no volume", name);
    auto option = node::DiskOption{};
    option.serial = disk.text_at({"serial"});
    option.read_only = is_true(disk, {"disk", "readonly"});
    if (const auto* order = disk.find("bootOrder"); order && order->integer())
        option.boot = static_cast<unsigned>(*order->integer());
    const auto claim = volume->text_at({"persistentVolumeClaim", "claimName"});
    const auto data_volume = volume->text_at({"dataVolume", "name"});
    if (!claim.empty() || !data_volume.empty()) {
        co_await add_volume(draft, std::string{claim.empty() ? data_volume : claim}, option);
    } else if (volume->find("hostDisk")) {
        co_await provide_host_disk(*volume);
        option.path = volume->text_at({"hostDisk", "path"});
    } else if (volume->find("emptyDisk")) {
        node::PrivateDisk made{.name = name, .size = co_await disk_size(*volume, "emptyDisk")};
        option.path = host_.path_of_disk(draft.uid, name);
        option.raw = true;
        draft.plan.disks.push_back(std::move(made));
    } else {
        co_await add_seed(draft, *volume);
        option.path = host_.path_of_disk(draft.uid, name);
        option.raw = true;
        option.read_only = true;
    }
    draft.plan.file.disks.push_back(std::move(option));
}

// The secrets in it are in no object and no log, and go with the machine.
io::Task<void> MachinePlanner::add_seed(Draft& draft, const Json& volume) {
    const auto* source = volume.find("cloudInitNoCloud");
    if (!source) co_await fail(Kind::invalid, "volume {} has no source", volume.text_at({"name"}));
    for (const std::string_view reference : {"secretRef", "networkDataSecretRef"}) {
        const std::string name{source->text_at({reference, "name"})};
        if (!name.empty())
            dependents_.wait(draft.key, api::secret_kind, {draft.key.name_space, name});
    }
    auto read = co_await read_cloud_init(client_, draft.key.name_space, *source).result();
    if (!read && read.error().kind() == Kind::not_found)
        co_await fail(Kind::unavailable, "{}", read.error().text());
    auto wanted = co_await std::move(read);
    const auto hostname = draft.instance.text_at({"spec", "hostname"});
    wanted.hostname = hostname.empty() ? draft.key.name : std::string{hostname};
    wanted.instance_id = identity_of(draft.instance);
    node::PrivateDisk disk{.name = std::string{volume.text_at({"name"})}};
    disk.content = co_await make_seed(wanted, client_.objects().clock().now());
    disk.size = disk.content.size();
    draft.plan.disks.push_back(std::move(disk));
}

// An interface is in the network that it names; a machine without any is in the default one, where
// there is that.
io::Task<void> MachinePlanner::add_interfaces(Draft& draft) {
    const auto* interfaces = interfaces_of(draft.instance);
    if (!interfaces) co_return co_await add_default_network(draft);
    for (const auto& interface : *interfaces) {
        const auto name = interface.text_at({"name"});
        const auto* network = find_named(draft.instance, {"spec", "networks"}, name);
        if (!network) co_await fail(Kind::invalid, "interface {} has no network", name);
        std::string wanted{network->text_at({"multus", "networkName"})};
        wanted.erase(0, wanted.rfind('/') + 1);
        const auto found = co_await ready(draft, api::network_kind,
                                          wanted.empty() ? default_network : std::move(wanted));
        add_tap(draft, found, std::string{interface.text_at({"macAddress"})});
    }
}

// One that nobody has looked at yet is waited for; one that cannot be had is done without.
io::Task<void> MachinePlanner::add_default_network(Draft& draft) {
    ObjectKey key{draft.key.name_space, default_network};
    dependents_.wait(draft.key, api::network_kind, key);
    const auto network = co_await client_.get(api::network_kind, std::move(key));
    if (!network) co_return;
    const auto* status = network->find("status");
    if (!status || !find_condition(*status, "Ready"))
        co_await fail(Kind::unavailable, "Network {} is not ready", default_network);
    if (is_condition(*network, "Ready", yes)) add_tap(draft, *network, {});
}

void MachinePlanner::add_tap(Draft& draft, const Json& network, std::string mac) {
    const auto number = draft.taps.size();
    if (mac.empty()) mac = mac_of(draft.instance, number);
    const auto tap = tap_name(draft.uid, number);
    draft.plan.file.nets.push_back({.tap = tap, .mac = std::move(mac), .mtu = {}});
    draft.taps.push_back(
        {tap, alias_of(draft.uid), std::string{network.text_at({"status", "bridge"})}});
}

io::Task<void> MachinePlanner::add_volume(Draft& draft, std::string name,
                                          node::DiskOption& option) {
    if (option.read_only)
        co_await fail(Kind::unsupported, "volume {}: a Volume is not attached read-only", name);
    const auto volume = co_await ready(draft, api::volume_kind, std::move(name));
    option.volume = pool_name_of(volume);
    option.pool = places_.pool;
}

}  // namespace sheaf::control
