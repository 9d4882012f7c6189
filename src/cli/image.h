#pragma once

// Why: the sub-verbs of `sheaf image`, each in a file of its own.

#include "cli/verbs.h"

namespace sheaf::cli {

extern const Verb image_import_verb;
extern const Verb image_list_verb;
extern const Verb image_show_verb;
extern const Verb image_export_verb;
extern const Verb image_delete_verb;

}  // namespace sheaf::cli
