#pragma once

// Why: the verbs about machines, for who does not want to write their objects.

#include "cli/object_verb.h"

namespace sheaf::cli {

extern const Verb vm_create_verb;
extern const Verb vm_list_verb;
extern const Verb vm_show_verb;
extern const Verb vm_start_verb;
extern const Verb vm_stop_verb;
extern const Verb vm_restart_verb;
extern const Verb vm_pause_verb;
extern const Verb vm_unpause_verb;
extern const Verb vm_console_verb;
extern const Verb vm_logs_verb;
extern const Verb vm_delete_verb;

// The kinds as this program knows them: of no other server.
Resource machine_resource();
Resource volume_resource();

// Of an instance or a machine: .../virtualmachines/NAME/start.
std::string action_path(std::string_view name_space, std::string_view plural, std::string_view name,
                        std::string_view action);

// A machine as it is asked for on a command line.
struct NewMachine {
    std::string name;
    std::string image;   // that its disk begins as; empty: as nothing
    std::string kernel;  // an Image of kind kernel; empty: it boots from its disk
    std::string kernel_arguments;
    std::string size;  // of its disk; empty: it has none
    std::string memory;
    std::uint64_t cpus = 1;
    std::string network;  // empty: the default one
    std::string ssh_key;  // its line; empty: none
    bool starts = false;
};
// The Volume of its disk; null where it has none. And the machine itself.
Json volume_object(const NewMachine& machine);
Json machine_object(const NewMachine& machine);
// A public key's line out of its file. Fails with invalid where it is none.
Result<std::string> parse_ssh_key(std::string_view text);

}  // namespace sheaf::cli
