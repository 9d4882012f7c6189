#include "node/machine_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/json.h"
#include "base/json_tree.h"

namespace sheaf::node {

namespace {

// A report with a console that is all escapes, and a whole console.
constexpr std::size_t largest_file = 1_MiB;

Result<std::string> read_whole(const pool::Directory& folder, std::string_view name) {
    const auto file = TRY(folder.open_file(name, O_RDONLY));
    std::string content(largest_file + 1, '\0');
    std::size_t length = 0;
    while (length < content.size()) {
        const auto count = ::pread(file.get(), content.data() + length, content.size() - length,
                                   static_cast<off_t>(length));
        if (count < 0) return fail_os(errno, "reading {}", folder.path_of(name));
        if (count == 0) break;
        length += static_cast<std::size_t>(count);
    }
    if (length > largest_file)
        return fail(Kind::corrupt, "{} has more than {} bytes", folder.path_of(name), largest_file);
    content.resize(length);
    return content;
}

}  // namespace

RunOptions run_options_of(const MachineFile& file) {
    auto options = RunOptions{};
    options.kernel = file.kernel;
    options.firmware = file.firmware;
    options.initrd = file.initrd;
    options.command_line = file.command_line;
    options.cpus = file.cpus;
    options.memory = file.memory;
    options.disks = file.disks;
    options.nets = file.nets;
    options.balloon = file.balloon;
    return options;
}

namespace machine_folder {

Result<void> write(const pool::Directory& folder, const MachineFile& file) {
    TRY(folder.write_file(specification, encode(file)));
    return folder.sync();
}

Result<MachineFile> read(const pool::Directory& folder) {
    return decode<MachineFile>(TRY(folder.read_file(specification)));
}

Result<void> write_console(const pool::Directory& folder, std::string_view text) {
    TRY(folder.write_file(console, text));
    return folder.sync();
}

Result<std::string> read_console(const pool::Directory& folder) {
    return read_whole(folder, console);
}

Result<void> write_ending(const pool::Directory& folder, const ExitReport& report) {
    TRY(folder.write_file(ending, encode(report)));
    return folder.sync();
}

Result<std::optional<ExitReport>> read_ending(const pool::Directory& folder) {
    if (!TRY(folder.has(ending))) return std::nullopt;
    const auto document = TRY(Json::parse(TRY(read_whole(folder, ending))));
    auto report = ExitReport{};
    report.how = document.text_at({"how"});
    report.detail = document.text_at({"detail"});
    report.started_at = document.text_at({"started_at"});
    report.ended_at = document.text_at({"ended_at"});
    report.console = document.text_at({"console"});
    if (const auto* code = document.find("exit_code"); code && code->integer())
        report.exit_code = static_cast<int>(*code->integer());
    if (const auto* reboots = document.find("reboots"); reboots && reboots->integer())
        report.reboots = static_cast<unsigned>(*reboots->integer());
    return report;
}

std::string socket_path(const pool::Directory& folder) {
    return fmt::format("/proc/self/fd/{}/{}", folder.descriptor().get(), socket);
}

Result<void> remove(const pool::Directory& machines, const std::string& uid) {
    const auto folder = machines.open_below(uid);
    if (!folder && folder.error().kind() == Kind::not_found) return {};
    if (!folder) return Failure{folder.error()};
    TRY(folder->remove_file(specification));
    TRY(folder->sync());
    TRY(folder->remove_directory(disks));
    TRY(machines.remove_directory(uid));
    return machines.sync();
}

}  // namespace machine_folder

}  // namespace sheaf::node
