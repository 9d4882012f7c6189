#pragma once

// Why: what a machine in the background is to be is written down before its keeper is started, so
// that keeper and daemon, also a later one, speak of the same (docs/formats/keeper-control.md).

#include "node/exit_report.h"
#include "node/run_options.h"
#include "storage/pool/directory.h"

namespace sheaf::node {

struct MachineFile {
    int version = 1;
    std::string uid;     // of this start of the machine; a name of letters, digits and '-'
    std::string name;    // for people
    std::string cookie;  // 32 hexadecimal digits that only this file's readers know
    std::string boot;    // of the host on which it was started
    std::string kernel;  // absolute paths here, as all below
    std::string firmware;
    std::optional<std::string> initrd;
    std::string command_line;
    unsigned cpus = 1;
    std::uint64_t memory = 512_MiB;  // bytes
    std::vector<DiskOption> disks;
    std::vector<NetOption> nets;
    bool balloon = false;
    std::vector<std::string> cgroups;  // directories that keeper and VMM are in
};
BOOST_DESCRIBE_STRUCT(MachineFile, (),
                      (version, uid, name, cookie, boot, kernel, firmware, initrd, command_line,
                       cpus, memory, disks, nets, balloon, cgroups))

RunOptions run_options_of(const MachineFile& file);

// The files of a machine's directory. All calls block.
namespace machine_folder {

inline constexpr std::string_view specification = "machine.json";
inline constexpr std::string_view socket = "control";
inline constexpr std::string_view log = "log";
inline constexpr std::string_view disks = "disks";
inline constexpr std::string_view console = "console";
inline constexpr std::string_view ending = "exit.json";

// Stable, and whole at any time, as the next.
Result<void> write(const pool::Directory& folder, const MachineFile& file);
Result<MachineFile> read(const pool::Directory& folder);
// What the guest printed last.
Result<void> write_console(const pool::Directory& folder, std::string_view text);
Result<std::string> read_console(const pool::Directory& folder);
Result<void> write_ending(const pool::Directory& folder, const ExitReport& report);
// None where it has not ended, or nobody could say how. Reads what later versions wrote.
Result<std::optional<ExitReport>> read_ending(const pool::Directory& folder);
// A path to the socket that is short, whatever the directory's is; as long as that is open.
std::string socket_path(const pool::Directory& folder);
// The specification first: what is left after a crash is known as nobody's.
Result<void> remove(const pool::Directory& machines, const std::string& uid);

}  // namespace machine_folder

}  // namespace sheaf::node
