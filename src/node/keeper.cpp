#include "node/keeper.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <tuple>

#include "node/layer_requests.h"
#include "node/vsock_dial.h"

namespace sheaf::node {

namespace {

constexpr std::size_t console_kept = 64 * 1024;  // bytes of console kept for the report
constexpr std::size_t report_lines = 20;
constexpr auto kill_grace = std::chrono::seconds{5};  // from "stop" to SIGKILL
constexpr std::byte escape_key{0x01};                 // Ctrl-A

using How = vmm::Ending::How;

vmm::Ending ending_of(const EventPacket& event) {
    const auto how = parse_how(event.how);
    return {how.value_or(How::failed), event.detail};
}

}  // namespace

Result<Fd> open_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) ::sigaddset(&set, signal);
    TRY(checked(::sigprocmask(SIG_BLOCK, &set, nullptr), "blocking signals"));
    return checked_fd(::signalfd(-1, &set, SFD_CLOEXEC), "watching signals");
}

Result<std::unique_ptr<Keeper>> Keeper::create(const RunOptions& options, io::Loop& loop) {
    return create(options, loop, nullptr);
}

Result<std::unique_ptr<Keeper>> Keeper::create(const RunOptions& options, io::Loop& loop,
                                               std::unique_ptr<ConsoleHost> console) {
    auto resources = TRY(Resources::open(options));
    auto signals = TRY(open_signals());
    if (!console) console = TRY(ConsoleHost::open(options.console, loop));
    return std::unique_ptr<Keeper>{
        new Keeper{options, loop, std::move(resources), std::move(signals), std::move(console)}};
}

Keeper::Keeper(const RunOptions& options, io::Loop& loop, Resources resources, Fd signals,
               std::unique_ptr<ConsoleHost> console)
    : options_(options),
      loop_(loop),
      resources_(std::move(resources)),
      signals_(std::move(signals)),
      console_(std::move(console)),
      ring_(console_kept) {}

ExitReport Keeper::run() {
    report_.started_at = timestamp_now();
    auto outcome = io::run(loop_, supervise());
    if (!outcome) {
        report_.how = "failed";
        report_.exit_code = static_cast<int>(ExitCode::internal);
        report_.detail = outcome.error().text();
    }
    report_.ended_at = timestamp_now();
    state_ = MachineState::ended;
    // How a guest crashed is often told long before its last lines.
    const auto crashed = report_.exit_code == static_cast<int>(ExitCode::crashed);
    report_.console = crashed ? std::string{ring_.text()} : ring_.last_lines(report_lines);
    return report_;
}

io::Task<void> Keeper::supervise() {
    group_.start(watch_signals());
    group_.start(pump_input());
    auto ending = co_await run_sessions().result();
    group_.cancel();
    static_cast<void>(co_await group_.join().result());
    if (!report_.how.empty()) co_return;  // a refusal has already said how
    auto last = ending ? *std::move(ending) : vmm::Ending{How::failed, ending.error().text()};
    if (forced_ && last.how == How::failed) last = {How::forced_off, ""};
    report_.how = to_string(last.how);
    report_.exit_code = static_cast<int>(exit_code_of(last.how));
    report_.detail = last.detail;
}

io::Task<vmm::Ending> Keeper::run_sessions() {
    while (true) {
        auto session = co_await start_session();
        auto ending = co_await live(session);
        if (!should_restart(ending)) co_return ending;
        ++report_.reboots;
        enter(MachineState::starting);
    }
}

bool Keeper::should_restart(const vmm::Ending& ending) const {
    return ending.how == How::reset && options_.on_reboot == OnReboot::restart &&
           !power_button_pressed_ && !forced_;
}

Result<Keeper::Session> Keeper::start_session() {
    auto [control, vmm_control] = TRY(make_control_channel());
    auto ends = std::array<int, 2>{};
    TRY(checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()),
                "making a console channel"));
    auto console = Fd{ends[0]};
    const auto vmm_console = Fd{ends[1]};

    auto spec = resources_.spec();
    spec.console = vmm_console.get();
    auto dials = Fd{};
    auto vmm_dials = Fd{};
    if (spec.vsock) {
        std::tie(dials, vmm_dials) = TRY(make_control_channel());
        spec.vsock->dial = vmm_dials.get();
    }
    // A guest that restarts itself was let go once.
    if (spec.gdb && report_.reboots > 0) spec.gdb->wait = false;
    if (spec.gdb && spec.gdb->wait)
        tell(fmt::format("the guest waits for a debugger: target remote {}", options_.gdb->socket));
    auto inherited = resources_.descriptors();
    auto layers = std::map<std::size_t, Fd>{};
    auto opened = std::vector<Fd>{};
    for (const auto& [disk, held] : resources_.volumes()) {
        auto offer = TRY(held->offer());
        spec.disks[disk].volume = std::move(offer.spec);
        layers[disk] = std::move(offer.requests);
        for (auto& descriptor : offer.opened) {
            inherited.push_back(descriptor.get());
            opened.push_back(std::move(descriptor));
        }
    }
    TRY(send_packet(control, encode(spec)));

    inherited.push_back(vmm_control.get());
    inherited.push_back(vmm_console.get());
    if (vmm_dials) inherited.push_back(vmm_dials.get());
    auto handed = std::vector<Child::Handed>{};
    for (const int descriptor : inherited) handed.push_back({descriptor, descriptor});
    auto child =
        TRY(Child::start(Child::same_program,
                         {"sheaf", "vmm", "--control", std::to_string(vmm_control.get())}, handed));
    return Session{std::move(child), std::move(control), std::move(console), std::move(dials),
                   std::move(layers)};
}

io::Task<vmm::Ending> Keeper::live(Session& session) {
    session_ = &session;
    auto output = io::TaskGroup{};
    output.start(pump_output(session));
    if (session.dials)
        output.start(answer_dials(loop_, session.dials.get(), options_.vsock->socket));
    for (const auto& [disk, channel] : session.layers)
        output.start(
            answer_layer_requests(loop_, channel.get(), resources_.volumes().at(disk)->holding()));
    auto followed = co_await follow(session).result();
    // The child is gone or about to be: its console ends with it, and everything it printed is read
    // before the report is written.
    static_cast<void>(co_await loop_.poll(session.child.ended().get(), POLLIN).result());
    const auto status = session.child.reap();
    session_ = nullptr;
    static_cast<void>(co_await output.join().result());
    auto ending = followed ? *std::move(followed) : vmm::Ending{How::failed, ""};
    if (ending.how == How::failed && ending.detail.empty())
        ending.detail = fmt::format("the VMM ended without a word: {}",
                                    status.empty() ? "exit status 0" : status);
    co_return ending;
}

io::Task<vmm::Ending> Keeper::follow(Session& session) {
    while (true) {
        const auto packet = co_await receive_packet(loop_, session.control);
        if (packet.empty()) co_return vmm::Ending{How::failed, ""};
        const auto event = co_await decode<EventPacket>(packet);
        heed(event.event);
        if (event.event == EventName::ended) {
            report_.balloon = event.balloon;
            co_return ending_of(event);
        }
        if (event.event == EventName::refused) {
            const auto kind = parse_kind(event.kind);
            report_.how = "refused";
            report_.exit_code = static_cast<int>(exit_code_of(kind.value_or(Kind::io)));
            report_.detail = event.detail;
            co_return vmm::Ending{How::failed, event.detail};
        }
    }
}

io::Task<void> Keeper::pump_output(Session& session) {
    auto buffer = std::vector<std::byte>(16 * 1024);
    while (true) {
        const auto count = co_await loop_.recv(session.console.get(), buffer, 0);
        if (count == 0) co_return;
        const auto bytes = std::span{buffer}.first(count);
        ring_.append(bytes);
        co_await console_->show(bytes);
    }
}

io::Task<void> Keeper::pump_input() {
    auto buffer = std::vector<std::byte>(4096);
    while (true) {
        const auto count = co_await console_->type(buffer);
        if (count == 0) co_return;
        co_await forward_input(std::span{buffer}.first(count));
    }
}

// Ctrl-A x ends the machine, Ctrl-A Ctrl-A is one Ctrl-A, Ctrl-A and another key is that key.
io::Task<void> Keeper::forward_input(std::span<const std::byte> bytes) {
    auto passed = std::vector<std::byte>{};
    for (const auto byte : bytes) {
        if (console_->interactive() && !escape_pending_ && byte == escape_key) {
            escape_pending_ = true;
            continue;
        }
        if (std::exchange(escape_pending_, false) && byte == std::byte{'x'}) {
            force_off();
            continue;
        }
        passed.push_back(byte);
    }
    auto rest = std::span<std::byte>{passed};
    while (session_ && !rest.empty()) {
        const auto sent = co_await loop_.send(session_->console.get(), rest, MSG_NOSIGNAL).result();
        if (!sent) co_return;  // this VMM has ended; what was typed for it is dropped
        rest = rest.subspan(*sent);
    }
}

io::Task<void> Keeper::watch_signals() {
    while (true) {
        auto info = signalfd_siginfo{};
        co_await loop_.read_stream(signals_.get(), std::as_writable_bytes(std::span{&info, 1}));
        if (info.ssi_signo == SIGUSR1) {
            refresh_disks();
        } else if (power_button_pressed_) {
            force_off();
        } else {
            tell(fmt::format("pressing the power button; forcing in {} s, or on a second signal",
                             options_.grace.count()));
            press_power_button(options_.grace);
        }
    }
}

KeeperStatus Keeper::status() const {
    return {.state = state_,
            .stopping = power_button_pressed_ || forced_,
            .keeper = ::getpid(),
            .vmm = session_ ? session_->child.pid() : 0,
            .reboots = report_.reboots,
            .started_at = report_.started_at};
}

void Keeper::heed(EventName event) {
    if (event == EventName::paused) return enter(MachineState::paused);
    if (event != EventName::running) return;
    // One that has just been started anew is to stand still as the one before it was.
    if (wants_pause_ && state_ == MachineState::starting) command(Command::pause);
    enter(MachineState::running);
}

void Keeper::enter(MachineState state) {
    state_ = state;
    changed_();
}

void Keeper::pause() {
    wants_pause_ = true;
    command(Command::pause);
    changed_();
}

void Keeper::resume() {
    wants_pause_ = false;
    command(Command::resume);
    changed_();
}

void Keeper::press_power_button(std::chrono::seconds grace) {
    if (wants_pause_) resume();
    command(Command::power_button);
    const auto deadline = loop_.now() + grace;
    const bool sooner = !forcing_at_ || deadline < *forcing_at_;
    if (sooner) forcing_at_ = deadline;
    if (!std::exchange(power_button_pressed_, true)) changed_();
    if (sooner) group_.start(force_at(deadline));
}

io::Task<void> Keeper::force_at(io::TimePoint deadline) {
    co_await loop_.sleep_until(deadline);
    force_off();
}

void Keeper::force_off() {
    if (std::exchange(forced_, true)) return;
    tell("forcing the machine off");
    command(Command::stop);
    group_.start(kill_after_grace());
    changed_();
}

io::Task<void> Keeper::kill_after_grace() {
    co_await loop_.sleep(kill_grace);
    if (session_) session_->child.kill();
}

void Keeper::command(Command command) {
    // A VMM that has just ended takes no command, and needs none.
    if (session_) static_cast<void>(send_packet(session_->control, encode(CommandPacket{command})));
}

void Keeper::tell(std::string_view message) const {
    const auto line = fmt::format("sheaf: {}{}\n", message, console_->interactive() ? "\r" : "");
    static_cast<void>(::write(STDERR_FILENO, line.data(), line.size()));
}

}  // namespace sheaf::node
