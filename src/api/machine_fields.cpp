#include "api/machine_fields.h"

#include <array>
#include <charconv>

#include "api/data_volume_fields.h"

namespace sheaf::api {

namespace {

constexpr auto cpu = std::to_array<Field>({
    {.name = "cores", .type = Type::integer, .description = "a socket", .least = 1, .most = 255},
    {.name = "sockets", .type = Type::integer, .description = "", .least = 1, .most = 255},
    {.name = "threads", .type = Type::integer, .description = "a core", .least = 1, .most = 255},
});
constexpr auto memory = std::to_array<Field>({
    {.name = "guest", .type = Type::quantity, .description = "bytes that the guest sees"},
});
constexpr auto amounts = std::to_array<Field>({
    {.name = "cpu", .type = Type::quantity, .description = "processors"},
    {.name = "memory", .type = Type::quantity, .description = "bytes"},
});
constexpr auto resources = std::to_array<Field>({
    {.name = "requests", .type = Type::object, .description = "", .fields = amounts},
    {.name = "limits", .type = Type::object, .description = "", .fields = amounts},
});
constexpr auto kernel_container = std::to_array<Field>({
    {.name = "image",
     .description = "the name of a Sheaf Image of kind kernel",
     .need = Need::required},
});
constexpr auto kernel_boot = std::to_array<Field>({
    {.name = "container", .type = Type::object, .description = "", .fields = kernel_container},
    {.name = "kernelArgs", .description = "the kernel's command line"},
});
constexpr auto firmware = std::to_array<Field>({
    {.name = "kernelBoot", .type = Type::object, .description = "", .fields = kernel_boot},
    {.name = "uuid", .description = "that the guest sees"},
    {.name = "serial", .description = "that the guest sees"},
});
constexpr auto buses = std::to_array<std::string_view>({"virtio"});
constexpr auto disk_target = std::to_array<Field>({
    {.name = "bus", .description = "virtio alone", .choices = buses},
    {.name = "readonly", .type = Type::boolean, .description = "whether the guest cannot write"},
});
constexpr auto disk = std::to_array<Field>({
    {.name = "name", .description = "of the volume that it is", .need = Need::required},
    {.name = "disk", .type = Type::object, .description = "", .fields = disk_target},
    {.name = "bootOrder", .type = Type::integer, .description = "least first", .least = 1},
    {.name = "serial", .description = "that the guest sees"},
});
constexpr auto models = std::to_array<std::string_view>({"virtio"});
constexpr auto interface_fields = std::to_array<Field>({
    {.name = "name", .description = "of the network that it is in", .need = Need::required},
    {.name = "bridge", .type = Type::object, .description = "in the network as it is"},
    {.name = "masquerade", .type = Type::object, .description = "means the same, for now"},
    {.name = "model", .description = "virtio alone", .choices = models},
    {.name = "macAddress", .description = "chosen where nothing is said"},
});
constexpr auto devices = std::to_array<Field>({
    {.name = "disks",
     .type = Type::object,
     .description = "in the order of the guest",
     .fields = disk,
     .count = Count::list},
    {.name = "interfaces",
     .type = Type::object,
     .description = "of networks",
     .fields = interface_fields,
     .count = Count::list},
    {.name = "rng", .type = Type::object, .description = "always there"},
    {.name = "autoattachSerialConsole", .type = Type::boolean, .description = "always so"},
});
constexpr auto machine_type = std::to_array<Field>({
    {.name = "type", .description = "taken, without effect: there is one machine"},
});
constexpr auto domain = std::to_array<Field>({
    {.name = "cpu", .type = Type::object, .description = "", .fields = cpu},
    {.name = "memory", .type = Type::object, .description = "", .fields = memory},
    {.name = "resources", .type = Type::object, .description = "", .fields = resources},
    {.name = "firmware", .type = Type::object, .description = "", .fields = firmware},
    {.name = "machine", .type = Type::object, .description = "", .fields = machine_type},
    {.name = "devices",
     .type = Type::object,
     .description = "disks and interfaces",
     .fields = devices,
     .need = Need::required},
});
constexpr auto claim = std::to_array<Field>({
    {.name = "claimName", .description = "of a Volume", .need = Need::required},
    {.name = "readOnly", .type = Type::boolean, .description = ""},
});
constexpr auto data_volume = std::to_array<Field>({
    {.name = "name", .description = "of a Volume", .need = Need::required},
});
constexpr auto secret_reference = std::to_array<Field>({
    {.name = "name", .description = "of a Secret", .need = Need::required},
});
constexpr auto cloud_init = std::to_array<Field>({
    {.name = "userData", .description = "as cloud-init reads it"},
    {.name = "userDataBase64", .description = "the same as base64"},
    {.name = "networkData", .description = "as cloud-init reads it"},
    {.name = "networkDataBase64", .description = "the same as base64"},
    {.name = "secretRef",
     .type = Type::object,
     .description = "the Secret with userdata",
     .fields = secret_reference},
    {.name = "networkDataSecretRef",
     .type = Type::object,
     .description = "the Secret with networkdata",
     .fields = secret_reference},
});
constexpr auto host_disk_types = std::to_array<std::string_view>({"Disk", "DiskOrCreate"});
constexpr auto host_disk = std::to_array<Field>({
    {.name = "path", .description = "of a file of the host", .need = Need::required},
    {.name = "type",
     .description = "whether it may be made",
     .need = Need::required,
     .choices = host_disk_types},
    {.name = "capacity", .type = Type::quantity, .description = "of one that is made"},
});
constexpr auto empty_disk = std::to_array<Field>({
    {.name = "capacity", .type = Type::quantity, .description = "bytes", .need = Need::required},
});
constexpr auto volume = std::to_array<Field>({
    {.name = "name", .description = "for the disk", .need = Need::required},
    {.name = "persistentVolumeClaim", .type = Type::object, .description = "", .fields = claim},
    {.name = "dataVolume", .type = Type::object, .description = "", .fields = data_volume},
    {.name = "cloudInitNoCloud", .type = Type::object, .description = "", .fields = cloud_init},
    {.name = "hostDisk", .type = Type::object, .description = "", .fields = host_disk},
    {.name = "emptyDisk", .type = Type::object, .description = "", .fields = empty_disk},
});
constexpr auto multus = std::to_array<Field>({
    {.name = "networkName", .description = "of a Network", .need = Need::required},
    {.name = "default", .type = Type::boolean, .description = ""},
});
constexpr auto network = std::to_array<Field>({
    {.name = "name", .description = "for the interface", .need = Need::required},
    {.name = "pod", .type = Type::object, .description = "the Network named default"},
    {.name = "multus", .type = Type::object, .description = "a Network", .fields = multus},
});
constexpr auto machine = std::to_array<Field>({
    {.name = "domain",
     .type = Type::object,
     .description = "the machine itself",
     .fields = domain,
     .need = Need::required},
    {.name = "volumes",
     .type = Type::object,
     .description = "what its disks are",
     .fields = volume,
     .count = Count::list},
    {.name = "networks",
     .type = Type::object,
     .description = "where its interfaces are",
     .fields = network,
     .count = Count::list},
    {.name = "terminationGracePeriodSeconds",
     .type = Type::integer,
     .description = "for the guest to shut down",
     .least = 0,
     .most = 86'400},
    {.name = "hostname", .description = "that the guest gets"},
});

constexpr auto template_metadata = std::to_array<Field>({
    {.name = "name", .description = "without effect"},
    {.name = "creationTimestamp", .type = Type::time, .description = "without effect"},
    {.name = "labels", .type = Type::texts, .description = "of the instance"},
    {.name = "annotations", .type = Type::texts, .description = "of the instance"},
});
constexpr auto machine_template = std::to_array<Field>({
    {.name = "metadata", .type = Type::object, .description = "", .fields = template_metadata},
    {.name = "spec",
     .type = Type::object,
     .description = "of the instance",
     .fields = machine,
     .need = Need::required},
});
constexpr auto data_volume_metadata = std::to_array<Field>({
    {.name = "name", .description = "of the DataVolume", .need = Need::required},
    {.name = "creationTimestamp", .type = Type::time, .description = "without effect"},
    {.name = "labels", .type = Type::texts, .description = "of the DataVolume"},
    {.name = "annotations", .type = Type::texts, .description = "of the DataVolume"},
});
constexpr auto data_volume_template = std::to_array<Field>({
    {.name = "apiVersion", .description = "without effect"},
    {.name = "kind", .description = "without effect"},
    {.name = "metadata",
     .type = Type::object,
     .description = "",
     .fields = data_volume_metadata,
     .need = Need::required},
    {.name = "spec",
     .type = Type::object,
     .description = "",
     .fields = data_volume_fields,
     .need = Need::required},
    {.name = "status", .type = Type::anything, .description = "without effect"},
});
constexpr auto strategies =
    std::to_array<std::string_view>({"Always", "Halted", "Manual", "RerunOnFailure", "Once"});
constexpr auto virtual_machine = std::to_array<Field>({
    {.name = "runStrategy", .description = "when it runs", .choices = strategies},
    {.name = "running", .type = Type::boolean, .description = "Always or Halted, the older way"},
    {.name = "template",
     .type = Type::object,
     .description = "of its instance",
     .fields = machine_template,
     .need = Need::required},
    {.name = "dataVolumeTemplates",
     .type = Type::object,
     .description = "DataVolumes that are made for it, and go with it",
     .fields = data_volume_template,
     .count = Count::list},
});

}  // namespace

std::optional<std::int64_t> parse_start_priority(std::string_view text) {
    std::int32_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return {};
    return number;
}

std::span<const Field> machine_fields() {
    return machine;
}

std::span<const Field> virtual_machine_fields() {
    return virtual_machine;
}

}  // namespace sheaf::api
