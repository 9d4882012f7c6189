#include "cli/replica.h"

#include <array>

namespace sheaf::cli {

namespace {

constexpr auto sub_verbs = std::to_array<const Verb*>({&replica_serve_verb});

}  // namespace

constinit const Verb replica_verb = {
    .name = "replica",
    .summary = "keep this host's copies of volumes that have several",
    .options = {},
    .details = {},
    .example =
        "sheaf replica serve --node a --listen 10.0.0.1:7000 --kv etcd:https://10.0.0.9:2379 "
        "...",
    .main = nullptr,
    .operands = {},
    .verbs = sub_verbs,
};

}  // namespace sheaf::cli
