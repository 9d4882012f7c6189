#include "cli/volume.h"

#include <array>

namespace sheaf::cli {

namespace {

constexpr auto sub_verbs = std::to_array<const Verb*>({
    &volume_create_verb,
    &volume_list_verb,
    &volume_show_verb,
    &volume_resize_verb,
    &volume_flatten_verb,
    &volume_check_verb,
    &volume_delete_verb,
    &volume_export_verb,
    &volume_nbd_verb,
    &volume_replicas_verb,
    &volume_salvage_verb,
});

}  // namespace

constinit const Verb volume_verb = {
    .name = "volume",
    .summary = "the disks that Sheaf keeps itself: make, list, check, export, serve, delete them",
    .options = {},
    .details =
        "A volume takes space when it is written, checks what it reads, and keeps what was "
        "flushed\n"
        "through any crash. No service has to run. Exit codes: 0 done, 64 usage, 65 bad input,\n"
        "69 this host cannot, 70 internal.",
    .example = "sheaf volume create root --size 10G\n  sheaf run --disk volume=root",
    .main = nullptr,
    .operands = {},
    .verbs = sub_verbs,
};

}  // namespace sheaf::cli
