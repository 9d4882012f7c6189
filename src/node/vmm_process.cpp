#include "node/vmm_process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <charconv>

#include "io/make_loop.h"
#include "node/exit_report.h"

namespace sheaf::node {

Result<void> VmmProcess::run() {
    const auto packet = TRY(receive_packet_now(control_));
    const auto spec = TRY_WITHIN(decode<VmmSpec>(packet), "specification");
    auto machine = Machine::create(spec, loop_, *this, log_);
    if (!machine)
        return report({.event = EventName::refused,
                       .kind = std::string{to_string(machine.error().kind())},
                       .how = {},
                       .detail = machine.error().text(),
                       .balloon = {}});
    machine_ = *std::move(machine);
    TRY(io::run(loop_, live()));
    const auto lock = std::lock_guard{mutex_};
    return report({.event = EventName::ended,
                   .kind = {},
                   .how = std::string{to_string(ending_->how)},
                   .detail = ending_->detail,
                   .balloon = machine_->balloon_report()});
}

io::Task<void> VmmProcess::live() {
    auto group = io::TaskGroup{};
    group.start(watch_control());
    machine_->start();
    tell(EventName::running);
    co_await has_ended_.wait();
    static_cast<void>(co_await machine_->drain().result());
    group.cancel();
    static_cast<void>(co_await group.join().result());
}

io::Task<void> VmmProcess::watch_control() {
    while (true) {
        const auto packet = co_await receive_packet(loop_, control_).result();
        if (!packet && packet.error().kind() == Kind::cancelled) co_return;
        const auto command = packet ? decode<CommandPacket>(*packet) : Failure{packet.error()};
        // A closed channel, or a packet that makes no sense: the keeper no longer wants this.
        switch (command ? command->command : Command::stop) {
            case Command::power_button: machine_->press_power_button(); break;
            case Command::refresh_disks: machine_->refresh_disks(); break;
            case Command::pause: pause(); break;
            case Command::resume: resume(); break;
            case Command::stop: co_return ended({vmm::Ending::How::forced_off, {}});
        }
    }
}

void VmmProcess::pause() {
    const auto pausing = machine_->pause([this] { tell(EventName::paused); });
    if (!pausing)
        log_.warning("the machine cannot be paused", {{"reason", pausing.error().text()}});
}

void VmmProcess::resume() {
    machine_->resume();
    tell(EventName::running);
}

// A keeper that cannot be told is gone.
void VmmProcess::tell(EventName event) {
    auto told = report({.event = event, .kind = {}, .how = {}, .detail = {}, .balloon = {}});
    if (!told) ended({vmm::Ending::How::failed, told.error().text()});
}

void VmmProcess::ended(vmm::Ending ending) {
    {
        const auto lock = std::lock_guard{mutex_};
        if (ending_) return;
        ending_ = std::move(ending);
    }
    machine_->request_stop();
    loop_.post([this] { has_ended_.set(); });
}

Result<void> VmmProcess::report(const EventPacket& event) const {
    return send_packet(control_, encode(event));
}

int vmm_main(std::span<char*> arguments) {
    auto log = Logger{STDERR_FILENO, LogLevel::warning};
    int control = -1;
    if (arguments.size() == 2 && std::string_view{arguments[0]} == "--control") {
        const auto number = std::string_view{arguments[1]};
        std::from_chars(number.data(), number.data() + number.size(), control);
    }
    if (control < 0) {
        log.error("sheaf vmm is started by sheaf run, not by hand");
        return static_cast<int>(ExitCode::usage);
    }
    // A keeper that is killed takes its machine with it; one that already died closed the channel.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    auto loop = io::make_loop();
    if (!loop) {
        log.error(loop.error().text());
        return static_cast<int>(ExitCode::internal);
    }
    auto process = VmmProcess{Fd{control}, **loop, log};
    const auto outcome = process.run();
    if (!outcome) log.error(outcome.error().text());
    return outcome ? 0 : static_cast<int>(ExitCode::internal);
}

}  // namespace sheaf::node
