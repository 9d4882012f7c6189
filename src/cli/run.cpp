#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/json.h"
#include "cli/run_options.h"
#include "cli/verbs.h"
#include "io/make_loop.h"
#include "node/keeper.h"

namespace sheaf::cli {

namespace {

using node::ExitCode;
using node::ExitReport;

constexpr auto options = std::to_array<Option>({
    {"kernel", "FILE", "Linux bzImage, or an ELF kernel (vmlinux, PVH)"},
    {"firmware", "uefi|FILE", "boots from disk, where no kernel is given (default: uefi)"},
    {"initrd", "FILE", "initial RAM disk"},
    {"cmdline", "TEXT", "kernel command line (default: console=ttyS0)"},
    {"cpus", "N", "virtual CPUs (default: 1)"},
    {"memory", "SIZE", "guest memory, for example 512M or 4G (default: 512M)"},
    {"disk", "path=F[,format=raw][,readonly][,serial=S][,boot=N]",
     "a virtio disk; may be repeated; firmware tries 1 first"},
    {"disk", "volume=NAME[,pool=DIR][,serial=S][,boot=N]", "the same on a volume"},
    {"cdrom", "FILE", "an ISO image as a read-only disk; may be repeated"},
    {"net", "tap=NAME[,mac=AA:..][,mtu=N]", "a virtio network card on a tap; may be repeated"},
    {"balloon", "", "the host gets memory back that the guest does not use"},
    {"vsock", "CID,socket=PATH", "streams between the guest (CID 3 or more) and unix sockets"},
    {"gdb", "unix:PATH[,wait]", "debuggers connect there; wait: and let the guest begin"},
    {"console", "stdio|FILE|unix:PATH", "where the serial console goes (default: stdio)"},
    {"on-reboot", "restart|exit", "what a reboot of the guest does (default: restart)"},
    {"grace", "SECONDS", "from the power button to force (default: 60)"},
    {"pid-file", "FILE", "holds the process number while the machine runs"},
    {"report", "FILE", "says as JSON how the machine ended"},
});

constexpr std::string_view details =
    "On a terminal, Ctrl-A x forces the machine off and Ctrl-A Ctrl-A types a Ctrl-A.\n"
    "SIGTERM presses the power button; a second one, or the end of the grace time, forces.\n"
    "SIGUSR1 reads the sizes of the disks again, and the guest sees those that were resized.\n"
    "Exit codes: 0 powered off (or rebooted with --on-reboot exit), 1 panicked or triple-faulted,\n"
    "2 forced off, 64 usage, 65 bad input, 69 this host cannot, 70 internal.";

int run_main(std::span<char*> arguments);

// A file that holds this process's number and goes away with the scope.
class PidFile {
  public:
    static Result<PidFile> create(const std::string& path) {
        auto file =
            TRY(checked_fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644),
                           "pid file {}", path));
        const auto text = fmt::format("{}\n", ::getpid());
        TRY(checked(static_cast<int>(::write(file.get(), text.data(), text.size())), "pid file {}",
                    path));
        return PidFile{path};
    }
    PidFile(PidFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    PidFile& operator=(PidFile&&) = delete;
    ~PidFile() {
        if (!path_.empty()) ::unlink(path_.c_str());
    }

  private:
    explicit PidFile(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

int refuse(const Error& error, ExitCode code) {
    std::fputs(fmt::format("sheaf run: {}\n", error.text()).c_str(), stderr);
    return static_cast<int>(code);
}

// The report's file, opened before the machine starts so that a wrong path is known then. It is
// written beside its place and renamed, so that nobody reads half a report.
class ReportFile {
  public:
    static Result<ReportFile> create(const std::string& path) {
        const auto temporary = path + ".new";
        auto file = TRY(
            checked_fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644),
                       "report {}", path));
        return ReportFile{path, std::move(file)};
    }
    ReportFile(ReportFile&& other) noexcept
        : path_(std::exchange(other.path_, {})), file_(std::move(other.file_)) {}
    ReportFile& operator=(ReportFile&&) = delete;
    ~ReportFile() {
        if (!path_.empty()) ::unlink((path_ + ".new").c_str());
    }

    Result<void> write(const ExitReport& report) {
        const auto text = encode(report) + "\n";
        const auto written = ::write(file_.get(), text.data(), text.size());
        if (written != static_cast<ssize_t>(text.size()))
            return fail_os(written < 0 ? errno : ENOSPC, "report {}", path_);
        TRY(checked(::rename((path_ + ".new").c_str(), path_.c_str()), "report {}", path_));
        path_.clear();
        return {};
    }

  private:
    ReportFile(std::string path, Fd file) : path_(std::move(path)), file_(std::move(file)) {}
    std::string path_;
    Fd file_;
};

Result<ExitReport> keep(const node::RunOptions& run_options) {
    auto pid_file = std::optional<PidFile>{};
    if (run_options.pid_file) pid_file.emplace(TRY(PidFile::create(*run_options.pid_file)));
    auto loop = TRY(io::make_loop());
    auto keeper = TRY(node::Keeper::create(run_options, *loop));
    return keeper->run();
}

// A machine that never started has a report as well.
ExitReport refusal(const Error& error) {
    auto report = ExitReport{};
    report.how = "refused";
    report.exit_code = static_cast<int>(node::exit_code_of(error.kind()));
    report.detail = error.text();
    report.started_at = report.ended_at = node::timestamp_now();
    return report;
}

Result<int> run(const node::RunOptions& run_options) {
    auto report_file = std::optional<ReportFile>{};
    if (run_options.report) report_file.emplace(TRY(ReportFile::create(*run_options.report)));
    const auto kept = keep(run_options);
    const auto report = kept ? *kept : refusal(kept.error());
    if (report.exit_code != 0 && !report.detail.empty())
        std::fputs(fmt::format("sheaf run: {}\n", report.detail).c_str(), stderr);
    if (report_file) TRY(report_file->write(report));
    return report.exit_code;
}

int run_main(std::span<char*> arguments) {
    const auto parsed = arguments_or_exit(run_verb, arguments);
    if (!parsed) return parsed.error();
    const auto starts = {"kernel", "firmware", "disk", "cdrom"};
    if (std::ranges::none_of(starts, [&](const auto* name) { return parsed->has(name); }))
        return refuse(Error{Kind::invalid,
                            "--kernel, or a --disk to boot from, is needed; see sheaf run --help"},
                      ExitCode::usage);
    const auto run_options = parse_run_options(*parsed);
    if (!run_options) return refuse(run_options.error(), ExitCode::bad_input);
    const auto code = run(*run_options);
    return code ? *code : refuse(code.error(), node::exit_code_of(code.error().kind()));
}

}  // namespace

constinit const Verb run_verb = {
    .name = "run",
    .summary = "run a virtual machine in the foreground",
    .options = options,
    .details = details,
    .example =
        "sheaf run --kernel vmlinuz --initrd initrd.img --cmdline 'root=/dev/vda "
        "console=ttyS0' \\\n      --cpus 2 --memory 1G --disk path=root.raw --net tap=tap0\n"
        "  sheaf run --disk path=debian.raw --cpus 2 --memory 2G",
    .main = run_main,
};

}  // namespace sheaf::cli
