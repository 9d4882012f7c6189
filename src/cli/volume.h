#pragma once

// Why: the sub-verbs of `sheaf volume`, each in a file of its own.

#include "cli/verbs.h"

namespace sheaf::cli {

extern const Verb volume_create_verb;
extern const Verb volume_list_verb;
extern const Verb volume_show_verb;
extern const Verb volume_delete_verb;
extern const Verb volume_export_verb;
extern const Verb volume_nbd_verb;
extern const Verb volume_replicas_verb;
extern const Verb volume_salvage_verb;
extern const Verb volume_check_verb;
extern const Verb volume_resize_verb;
extern const Verb volume_flatten_verb;

}  // namespace sheaf::cli
