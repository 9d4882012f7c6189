#include "node/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/base64.h"
#include "base/boot_id.h"
#include "io/time_limit.h"
#include "node/process_watch.h"

namespace sheaf::node {

namespace {

constexpr auto first_words = std::chrono::seconds{10};  // of all keepers together, at the start
constexpr auto busy_keeper = std::chrono::seconds{1};   // whose backlog is full

// Nobody listens: the keeper has ended, or was never started.
bool is_gone(const Error& error) {
    return error.kind() == Kind::not_found || error.os_error() == ECONNREFUSED;
}

}  // namespace

Supervisor::Supervisor(io::Loop& loop, pool::Directory directory,
                       std::unique_ptr<io::SideThread> files, const Logger& logger)
    : loop_(loop), directory_(std::move(directory)), files_(std::move(files)), logger_(logger) {}

Result<std::unique_ptr<Supervisor>> Supervisor::create(io::Loop& loop, const std::string& path,
                                                       const Logger& logger) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return fail_os(errno, "{}", path);
    // A keeper has a working directory of its own.
    auto directory = TRY(pool::Directory::open(std::filesystem::absolute(path)));
    auto files = TRY(io::SideThread::create(loop));
    return std::unique_ptr<Supervisor>{
        new Supervisor{loop, std::move(directory), std::move(files), logger}};
}

io::Task<void> Supervisor::adopt() {
    for (const auto& uid : co_await directory_.names())
        if (const auto taken = take_up(uid); !taken)
            logger_.warning("a machine's directory cannot be read",
                            {{"machine", uid}, {"reason", taken.error().text()}});
    auto waiting = await_first_words();
    const auto all = co_await io::within(loop_, first_words, std::move(waiting)).result();
    if (!all && all.error().kind() == Kind::cancelled) co_await all;
    if (!all) logger_.warning("not every keeper has answered yet; the daemon goes on without");
}

// What has no specification was not finished, or is what a removal left.
Result<void> Supervisor::take_up(const std::string& uid) {
    auto folder = TRY(directory_.open_below(uid));
    auto file = machine_folder::read(folder);
    if (!file && file.error().kind() == Kind::not_found)
        return machine_folder::remove(directory_, uid);
    if (!file) return Failure{file.error()};
    auto machine = std::make_unique<Machine>();
    machine->known.uid = uid;
    machine->known.name = file->name;
    machine->known.taps = file->nets.size();
    machine->file = *std::move(file);
    machine->folder.emplace(std::move(folder));
    auto& kept = *machines_.emplace(uid, std::move(machine)).first->second;
    following_.start(follow(kept));
    return {};
}

io::Task<void> Supervisor::await_first_words() {
    const auto is_known = [](const auto& entry) {
        const auto& known = entry.second->known;
        return known.status || known.report || !known.trouble.empty();
    };
    while (!std::ranges::all_of(machines_, is_known)) {
        spoken_.clear();
        co_await spoken_.wait();
    }
}

io::Task<void> Supervisor::stop() {
    following_.cancel();
    static_cast<void>(co_await following_.join().result());  // its end was asked for
}

const SupervisedMachine* Supervisor::find(const std::string& uid) const {
    const auto place = machines_.find(uid);
    return place == machines_.end() ? nullptr : &place->second->known;
}

std::vector<const SupervisedMachine*> Supervisor::all() const {
    std::vector<const SupervisedMachine*> found;
    found.reserve(machines_.size());
    for (const auto& [uid, machine] : machines_) found.push_back(&machine->known);
    return found;
}

// Until the keeper is gone; then how the machine ended.
io::Task<void> Supervisor::follow(Machine& machine) {
    while (true) {
        const auto heard = co_await listen_to(machine).result();
        if (heard || is_gone(heard.error())) break;
        if (heard.error().kind() == Kind::cancelled) co_await heard;
        machine.known.trouble = heard.error().text();
        logger_.warning("a keeper cannot be spoken to",
                        {{"machine", machine.known.name}, {"reason", machine.known.trouble}});
        spoken_.set();
        changed_(machine.known.uid);
        co_await loop_.sleep(busy_keeper);
    }
    co_await settle(machine);
}

// Returns once the keeper has closed.
io::Task<void> Supervisor::listen_to(Machine& machine) {
    const auto path = machine_folder::socket_path(*machine.folder);
    auto client = co_await KeeperClient::connect(loop_, path);
    const auto heard = co_await hear(machine, *client).result();
    if (heard) co_return;
    if (heard.error().kind() == Kind::cancelled) co_await heard;
    // Closed, as by a process that was killed: what it says first or last may be missing.
    if (client->closed()) co_return;
    machine.known.trouble = heard.error().text();
    logger_.warning("a keeper cannot be understood",
                    {{"machine", machine.known.name}, {"reason", machine.known.trouble}});
    spoken_.set();
    changed_(machine.known.uid);
    co_await client->until_closed();
}

io::Task<void> Supervisor::hear(Machine& machine, KeeperClient& client) {
    const auto hello = co_await client.greet();
    if (hello.machine != machine.file.uid || hello.cookie != machine.file.cookie)
        co_await fail(Kind::denied, "another keeper answers: of {}", hello.machine);
    co_await client.begin_watch();
    while (true) {
        const auto status = co_await client.next_status();
        if (!status) co_return;
        // The number is the keeper's as long as it has not closed.
        auto keeper = watch_process(status->keeper);
        if (!machine.keeper_ended && keeper && !client.closed())
            machine.keeper_ended = *std::move(keeper);
        auto vmm = watch_child_of(status->keeper, status->vmm);
        if (vmm) machine.vmm_ended = *std::move(vmm);
        note(machine, *status);
    }
}

void Supervisor::note(Machine& machine, const KeeperStatus& status) {
    machine.known.status = status;
    machine.known.trouble.clear();
    spoken_.set();
    changed_(machine.known.uid);
}

// Whatever the machine used is free once its processes are gone.
io::Task<void> Supervisor::settle(Machine& machine) {
    auto exit = std::string{};
    if (machine.keeper_ended) {
        co_await loop_.poll(machine.keeper_ended.get(), POLLIN);
        exit = reap(machine.keeper_ended);
    }
    if (machine.vmm_ended) co_await loop_.poll(machine.vmm_ended.get(), POLLIN);
    const auto read = [this, &machine, &exit] { return ending_of(machine, exit); };
    auto report = co_await files_->call(read).result();
    if (!report && report.error().kind() == Kind::cancelled) co_await Failure{report.error()};
    if (!report) {
        report.emplace();
        report->how = "keeper_lost";
        report->detail = fmt::format("how it ended cannot be read");
    }
    logger_.info(
        "a machine has ended",
        {{"machine", machine.known.name}, {"how", report->how}, {"detail", report->detail}});
    machine.known.report = *std::move(report);
    machine.known.status.reset();
    machine.known.trouble.clear();
    spoken_.set();
    changed_(machine.known.uid);
}

Result<ExitReport> Supervisor::ending_of(const Machine& machine, const std::string& exit) const {
    auto told = machine_folder::read_ending(*machine.folder);
    if (told && *told) return **std::move(told);
    auto report = ExitReport{};
    report.exit_code = static_cast<int>(ExitCode::internal);
    report.ended_at = timestamp_now();
    const auto boot = boot_id();
    if (boot && *boot != machine.file.boot) {
        report.how = "host_restarted";
        report.detail = "the host was started anew";
    } else {
        report.how = "keeper_lost";
        report.detail = !told          ? told.error().text()
                        : exit.empty() ? "its keeper ended without a report"
                                       : "its keeper ended without a report: " + exit;
    }
    return report;
}

io::Task<void> Supervisor::remove(std::string uid) {
    const auto place = machines_.find(uid);
    if (place != machines_.end() && !place->second->known.report)
        co_await fail(Kind::conflict, "machine {} has not ended", uid);
    const auto groups =
        place == machines_.end() ? std::vector<std::string>{} : place->second->file.cgroups;
    const auto remove_all = [this, &uid, &groups]() -> Result<bool> {
        TRY(remove_cgroups(groups));
        TRY(machine_folder::remove(directory_, uid));
        return true;
    };
    static_cast<void>(co_await files_->call(remove_all));
    machines_.erase(uid);
    changed_(uid);
}

io::Task<std::unique_ptr<KeeperClient>> Supervisor::reach(std::string uid) {
    const auto place = machines_.find(uid);
    if (place == machines_.end()) co_await fail(Kind::not_found, "there is no machine {}", uid);
    const auto& machine = *place->second;
    if (machine.known.report) co_await fail(Kind::conflict, "machine {} has ended", uid);
    if (!machine.folder) co_await fail(Kind::conflict, "machine {} is being started", uid);
    const auto path = machine_folder::socket_path(*machine.folder);
    const auto cookie = machine.file.cookie;
    auto client = co_await KeeperClient::connect(loop_, path);
    const auto hello = co_await client->greet();
    if (hello.machine != uid || hello.cookie != cookie)
        co_await fail(Kind::denied, "another keeper answers: of {}", hello.machine);
    co_return client;
}

io::Task<Json> Supervisor::ask(std::string uid, std::string request, Json::Object fields) {
    auto client = co_await reach(std::move(uid));
    co_return co_await client->ask(std::move(request), std::move(fields));
}

io::Task<void> Supervisor::press_power_button(std::string uid, std::chrono::seconds grace) {
    Json::Object fields{{"grace", std::int64_t{grace.count()}}};
    static_cast<void>(co_await ask(std::move(uid), "power_button", std::move(fields)));
}

io::Task<void> Supervisor::force_off(std::string uid) {
    static_cast<void>(co_await ask(std::move(uid), "stop"));
}

io::Task<void> Supervisor::pause(std::string uid) {
    static_cast<void>(co_await ask(std::move(uid), "pause"));
}

io::Task<void> Supervisor::resume(std::string uid) {
    static_cast<void>(co_await ask(std::move(uid), "resume"));
}

io::Task<void> Supervisor::refresh_disks(std::string uid) {
    static_cast<void>(co_await ask(std::move(uid), "refresh_disks"));
}

io::Task<std::string> Supervisor::console_tail(std::string uid, ConsoleHistory history) {
    const auto place = machines_.find(uid);
    const bool ended = place != machines_.end() && place->second->known.report;
    std::string text;
    if (ended) {
        text = co_await last_console(std::move(uid));
    } else {
        const auto answer = co_await ask(std::move(uid), "console_tail", fields_of(history));
        text = co_await from_base64(answer.text_at({"text"}));
    }
    co_return std::string{ConsoleRing::tail_of(text, history)};
}

// By its name: it may be removed while the file is read.
io::Task<std::string> Supervisor::last_console(std::string uid) {
    const auto read = [this, &uid]() -> Result<std::string> {
        return machine_folder::read_console(TRY(directory_.open_below(uid)));
    };
    auto text = co_await files_->call(read).result();
    if (text || text.error().kind() != Kind::not_found) co_return co_await std::move(text);
    const auto* machine = find(uid);
    if (!machine) co_await fail(Kind::not_found, "there is no machine {}", uid);
    co_await fail(Kind::not_found, "its keeper was lost, and with it what {} printed",
                  machine->name);
    co_return {};
}

io::Task<Fd> Supervisor::attach_console(std::string uid, ConsoleHistory history) {
    auto client = co_await reach(std::move(uid));
    co_return co_await client->attach_console(history);
}

}  // namespace sheaf::node
