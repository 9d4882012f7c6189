#pragma once

// Why: every kind of the product in one list, by the group that defines it.

#include "api/kind.h"

namespace sheaf::api {

extern const Kind secret_kind;
extern const Kind event_kind;
extern const Kind persistent_volume_claim_kind;
extern const Kind data_volume_kind;
extern const Kind node_kind;
extern const Kind volume_kind;
extern const Kind image_kind;
extern const Kind snapshot_kind;
extern const Kind network_kind;
extern const Kind virtual_machine_kind;
extern const Kind virtual_machine_instance_kind;

}  // namespace sheaf::api
