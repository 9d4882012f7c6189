#include "node/keeper_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "base/log.h"
#include "io/make_loop.h"
#include "node/bounded_log.h"
#include "node/cgroup.h"
#include "node/keeper.h"
#include "node/keeper_server.h"
#include "node/machine_file.h"

namespace sheaf::node {

namespace {

// The number behind the word, or -1.
int number_of(std::span<char*> arguments, std::string_view word) {
    for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
        if (word != arguments[i]) continue;
        const auto text = std::string_view{arguments[i + 1]};
        int number = -1;
        std::from_chars(text.data(), text.data() + text.size(), number);
        return number;
    }
    return -1;
}

ExitReport refusal(const Error& error) {
    auto report = ExitReport{};
    report.how = "refused";
    report.exit_code = static_cast<int>(exit_code_of(error.kind()));
    report.detail = error.text();
    report.started_at = report.ended_at = timestamp_now();
    return report;
}

// Descriptors that came through exec are not for the VMM.
Result<Fd> inherited(int number) {
    TRY(checked(::fcntl(number, F_SETFD, FD_CLOEXEC), "descriptor {}", number));
    return Fd{number};
}

io::Task<void> close_server(KeeperServer& server, io::TaskGroup& upkeep) {
    co_await server.end();
    upkeep.cancel();
    static_cast<void>(co_await upkeep.join().result());  // its end was asked for
}

// What is stable when this returns is what the next reader of the directory will know.
Result<void> keep_machine(const MachineFile& file, const pool::Directory& folder, Fd listener,
                          io::Loop& loop, BoundedLog& log) {
    const auto options = run_options_of(file);
    auto hub = std::make_unique<ConsoleHub>(loop);
    auto& console = *hub;
    auto keeper = Keeper::create(options, loop, std::move(hub));
    if (!keeper) return machine_folder::write_ending(folder, refusal(keeper.error()));
    KeeperServer server{
        loop, std::move(listener), **keeper, console, {file.uid, file.cookie, file.boot}};
    io::TaskGroup upkeep;
    upkeep.start(log.carry(loop));
    const auto report = (*keeper)->run();
    // Where there is a report there is all that was printed, as far as that can be.
    auto console_kept = machine_folder::write_console(folder, console.tail({ConsoleHub::kept}));
    auto written = machine_folder::write_ending(folder, report);
    TRY(io::run(loop, close_server(server, upkeep)));
    TRY(std::move(written));
    return console_kept;
}

Result<void> keep(Fd directory, Fd listener, BoundedLog& log, const Logger& logger) {
    TRY(checked(::fchdir(directory.get()), "the machine's directory"));
    const auto folder = TRY(pool::Directory::open("."));
    const auto file = TRY_WITHIN(machine_folder::read(folder), "specification");
    for (const auto& cgroup : file.cgroups)
        if (const auto joined = join_cgroup(cgroup); !joined)
            logger.warning("the machine has no caps", {{"reason", joined.error().text()}});
    auto loop = io::make_loop();
    if (!loop) return machine_folder::write_ending(folder, refusal(loop.error()));
    return keep_machine(file, folder, std::move(listener), **loop, log);
}

}  // namespace

int keeper_main(std::span<char*> arguments) {
    const Logger logger{STDERR_FILENO, LogLevel::info};
    auto directory = inherited(number_of(arguments, "--directory"));
    auto control = inherited(number_of(arguments, "--control"));
    if (!directory || !control) {
        logger.error("sheaf keeper is started by sheaf daemon, not by hand");
        return static_cast<int>(ExitCode::usage);
    }
    // The service manager waits for the daemon, not for what it leaves behind.
    for (const auto* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
    auto log = BoundedLog::take_over();
    if (!log) {
        logger.error(log.error().text());
        return static_cast<int>(ExitCode::internal);
    }
    const auto kept = keep(*std::move(directory), *std::move(control), *log, logger);
    if (!kept) logger.error(kept.error().text());
    log->drain();
    return kept ? 0 : static_cast<int>(ExitCode::internal);
}

}  // namespace sheaf::node
