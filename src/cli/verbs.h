#pragma once

// Why: every verb of the product in one list. Read it to know what `sheaf` can do.

#include "cli/options.h"

namespace sheaf::cli {

extern const Verb run_verb;
extern const Verb daemon_verb;
extern const Verb daemon_init_verb;
extern const Verb kubeconfig_verb;
extern const Verb vm_verb;
extern const Verb kinds_verb;
extern const Verb get_verb;
extern const Verb describe_verb;
extern const Verb apply_verb;
extern const Verb edit_verb;
extern const Verb delete_verb;
extern const Verb watch_verb;
extern const Verb doctor_verb;
extern const Verb simulate_verb;
extern const Verb volume_verb;
extern const Verb image_verb;
extern const Verb snapshot_verb;
extern const Verb completion_verb;
extern const Verb man_verb;
extern const Verb replica_verb;

// The verbs a person may type, in the order of the help.
std::span<const Verb* const> verbs();

// Parses for `verb`; where the person asked for help, or was wrong, prints what is due and gives
// the exit code instead.
std::expected<Arguments, int> arguments_or_exit(const Verb& verb, std::span<char*> arguments);

// `sheaf VERB ...`, and the roles this binary plays for itself.
int main(std::span<char*> arguments);

}  // namespace sheaf::cli
