// The kinds of Sheaf's own group: what machines stand on.

#include <algorithm>
#include <array>

#include "api/kinds.h"
#include "api/quantity.h"

namespace sheaf::api {

namespace {

using Words = std::string_view;

constexpr Field status_field = {
    .name = "status", .type = Type::anything, .description = "what is the case; written by Sheaf"};

constexpr Words group = "sheaf.io";
constexpr Words version = "v1";

// What was chosen once stays.
void check_unchanged(const Json& object, const Json* before, Causes& causes, Words field) {
    if (!before) return;
    const auto* was = before->at({"spec", field});
    const auto* is = object.at({"spec", field});
    if (was ? is && *was == *is : !is) return;
    causes.push_back(
        {Reason::invalid, "spec." + std::string{field}, "Invalid value: field is immutable"});
}

// Node.

constexpr auto node_spec = std::to_array<Field>({
    {.name = "unschedulable", .type = Type::boolean, .description = "whether no machine starts"},
});
constexpr auto node_fields = std::to_array<Field>({
    {.name = "spec", .type = Type::object, .description = "", .fields = node_spec},
    status_field,
});
constexpr auto node_columns = std::to_array<Column>({
    {"Status", "status.phase", "Ready or not"},
    {"Version", "status.version", "of Sheaf"},
});

// Volume.

constexpr auto volume_source = std::to_array<Field>({
    {.name = "image", .description = "the Image that it begins as"},
    {.name = "snapshot", .description = "the Snapshot that it begins as"},
    {.name = "volume", .description = "the Volume that it begins as a copy of"},
});
constexpr auto volume_spec = std::to_array<Field>({
    {.name = "size",
     .type = Type::quantity,
     .description = "bytes that a machine sees, a multiple of 4096",
     .need = Need::required},
    {.name = "replicas",
     .type = Type::integer,
     .description = "copies; one node keeps one",
     .least = 1,
     .most = 1},
    {.name = "source", .type = Type::object, .description = "", .fields = volume_source},
});
constexpr auto volume_fields = std::to_array<Field>({
    {.name = "spec",
     .type = Type::object,
     .description = "what is wanted",
     .fields = volume_spec,
     .need = Need::required},
    status_field,
});
constexpr auto volume_columns = std::to_array<Column>({
    {"Size", "status.size", "bytes that a machine sees"},
    {"Used", "status.used", "bytes of the host's disk"},
    {"Phase", "status.phase", "how far it is"},
    {"Source", "spec.source.image", "the Image that it begins as", 1},
});
constexpr auto volume_short = std::to_array<Words>({"vol"});

// Blocks of 4 KiB, and not fewer than there were: what is on a volume is not cut off.
void check_size(const Json& object, const Json* before, Causes& causes) {
    constexpr std::uint64_t block = 4096;
    constexpr std::uint64_t most = 16ULL << 40;
    const auto refuse = [&causes](Reason reason, std::string message) {
        causes.push_back({reason, "spec.size", std::move(message)});
    };
    const auto size = quantity_at(object, {"spec", "size"});
    if (!size || !*size || **size == 0 || **size > most || **size % block != 0)
        return refuse(Reason::invalid, "Invalid value: not a multiple of 4Ki from 4Ki to 16Ti");
    if (!before) return;
    const auto was = quantity_at(*before, {"spec", "size"});
    if (was && *was && **size < **was)
        refuse(Reason::forbidden, "Forbidden: a volume does not become smaller");
}

void check_volume(const Json& object, const Json* before, Causes& causes) {
    check_size(object, before, causes);
    check_unchanged(object, before, causes, "source");
    const auto* source = object.at({"spec", "source"});
    if (source && source->object() && source->object()->size() > 1)
        causes.push_back({Reason::invalid, "spec.source",
                          "Invalid value: a volume begins as one thing: image, snapshot or "
                          "volume"});
}

// Image.

constexpr auto image_kinds = std::to_array<Words>({"disk", "kernel"});
constexpr auto image_source = std::to_array<Field>({
    {.name = "url", .description = "http, https or file", .need = Need::required},
    {.name = "sha256", .description = "of the file, as hexadecimal digits"},
});
constexpr auto image_spec = std::to_array<Field>({
    {.name = "kind", .description = "disk or kernel", .choices = image_kinds},
    {.name = "source",
     .type = Type::object,
     .description = "where it comes from",
     .fields = image_source,
     .need = Need::required},
});
constexpr auto image_fields = std::to_array<Field>({
    {.name = "spec",
     .type = Type::object,
     .description = "what is wanted",
     .fields = image_spec,
     .need = Need::required},
    status_field,
});
constexpr auto image_columns = std::to_array<Column>({
    {"Kind", "spec.kind", "disk or kernel"},
    {"Size", "status.size", "bytes that a machine sees"},
    {"Phase", "status.phase", "how far it is"},
    {"Progress", "status.progress", "of its import"},
    {"URL", "spec.source.url", "where it comes from", 1},
});
constexpr auto image_short = std::to_array<Words>({"img"});

void prepare_image(Json& object) {
    auto* spec = object.find("spec");
    if (spec && spec->object() && !spec->find("kind")) (*spec)["kind"] = "disk";
}

void check_image(const Json& object, const Json* before, Causes& causes) {
    check_unchanged(object, before, causes, "source");
    check_unchanged(object, before, causes, "kind");
    const auto url = object.text_at({"spec", "source", "url"});
    if (!url.starts_with("http://") && !url.starts_with("https://") && !url.starts_with("file:///"))
        causes.push_back({Reason::invalid, "spec.source.url",
                          "Invalid value: begins with none of http://, https:// and file:///"});
}

bool image_reaches_host(const Json& object) {
    return object.text_at({"spec", "source", "url"}).starts_with("file:");
}

// Snapshot.

constexpr auto snapshot_spec = std::to_array<Field>({
    {.name = "volume", .description = "of which Volume"},
    {.name = "virtualMachine", .description = "of all disks of which VirtualMachine"},
});
constexpr auto snapshot_fields = std::to_array<Field>({
    {.name = "spec",
     .type = Type::object,
     .description = "what is wanted",
     .fields = snapshot_spec,
     .need = Need::required},
    status_field,
});
constexpr auto snapshot_columns = std::to_array<Column>({
    {"Volume", "spec.volume", "of which Volume"},
    {"Machine", "spec.virtualMachine", "of which VirtualMachine"},
    {"Phase", "status.phase", "how far it is"},
});
constexpr auto snapshot_short = std::to_array<Words>({"snap"});

void check_snapshot(const Json& object, const Json* before, Causes& causes) {
    check_unchanged(object, before, causes, "volume");
    check_unchanged(object, before, causes, "virtualMachine");
    if (object.text_at({"spec", "volume"}).empty() ==
        object.text_at({"spec", "virtualMachine"}).empty())
        causes.push_back(
            {Reason::invalid, "spec", "Invalid value: one of volume and virtualMachine is needed"});
}

// Network.

constexpr auto bridge_fields = std::to_array<Field>({
    {.name = "name", .description = "of the host's bridge", .need = Need::required},
    {.name = "create", .type = Type::boolean, .description = "whether Sheaf makes it"},
    {.name = "address", .description = "of a bridge that Sheaf makes, as 10.0.0.1/24"},
});
constexpr auto network_spec = std::to_array<Field>({
    {.name = "bridge",
     .type = Type::object,
     .description = "a bridge of the host",
     .fields = bridge_fields,
     .need = Need::required},
});
constexpr auto network_fields = std::to_array<Field>({
    {.name = "spec",
     .type = Type::object,
     .description = "what is wanted",
     .fields = network_spec,
     .need = Need::required},
    status_field,
});
constexpr auto network_short = std::to_array<Words>({"net"});

bool is_link_name(Words name) {
    return !name.empty() && name.size() < 16 && name != "." && name != ".." &&
           std::ranges::all_of(
               name,
               [](char letter) {
                   return letter > ' ' && letter < 127 && letter != '/' && letter != ':';
               });
}

void check_network(const Json& object, const Json* before, Causes& causes) {
    check_unchanged(object, before, causes, "bridge");
    if (!is_link_name(object.text_at({"spec", "bridge", "name"})))
        causes.push_back({Reason::invalid, "spec.bridge.name",
                          "Invalid value: a name of a link has 1 to 15 letters"});
    const auto* create = object.at({"spec", "bridge", "create"});
    if (object.at({"spec", "bridge", "address"}) &&
        !(create && create->boolean() && *create->boolean()))
        causes.push_back({Reason::invalid, "spec.bridge.address",
                          "Invalid value: an address is given to a bridge that Sheaf makes alone"});
}

// A bridge is the host's, whoever made it.
bool network_reaches_host(const Json&) {
    return true;
}

constexpr auto network_columns = std::to_array<Column>({
    {"Bridge", "spec.bridge.name", "of the host"},
    {"Phase", "status.phase", "how far it is"},
});

}  // namespace

constinit const Kind node_kind = {
    .group = group,
    .version = version,
    .name = "Node",
    .plural = "nodes",
    .singular = "node",
    .short_names = {},
    .scope = Scope::cluster,
    .status = StatusBy::subresource,
    .description = "A host that runs machines.",
    .fields = node_fields,
    .columns = node_columns,
};

constinit const Kind volume_kind = {
    .group = group,
    .version = version,
    .name = "Volume",
    .plural = "volumes",
    .singular = "volume",
    .short_names = volume_short,
    .status = StatusBy::subresource,
    .description = "A disk that outlives the machines that use it.",
    .fields = volume_fields,
    .columns = volume_columns,
    .check = check_volume,
};

constinit const Kind image_kind = {
    .group = group,
    .version = version,
    .name = "Image",
    .plural = "images",
    .singular = "image",
    .short_names = image_short,
    .status = StatusBy::subresource,
    .description = "What volumes begin as, or a kernel, taken in from elsewhere.",
    .fields = image_fields,
    .columns = image_columns,
    .prepare = prepare_image,
    .check = check_image,
    .reaches_host = image_reaches_host,
};

constinit const Kind snapshot_kind = {
    .group = group,
    .version = version,
    .name = "Snapshot",
    .plural = "snapshots",
    .singular = "snapshot",
    .short_names = snapshot_short,
    .status = StatusBy::subresource,
    .description = "A volume, or all volumes of a machine, at one instant.",
    .fields = snapshot_fields,
    .columns = snapshot_columns,
    .check = check_snapshot,
};

constinit const Kind network_kind = {
    .group = group,
    .version = version,
    .name = "Network",
    .plural = "networks",
    .singular = "network",
    .short_names = network_short,
    .status = StatusBy::subresource,
    .description = "Where machines meet: a bridge of the host.",
    .fields = network_fields,
    .columns = network_columns,
    .check = check_network,
    .reaches_host = network_reaches_host,
};

}  // namespace sheaf::api
