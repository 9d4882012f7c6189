#include "control/machine_actions.h"

#include "base/units.h"
#include "node/console_hub.h"

namespace sheaf::control {

namespace {

constexpr std::size_t history = 64_KiB;  // of the console, for who opens it

}  // namespace

io::Task<void> HostedMachineActions::pause(api::MachineName machine) {
    co_await machines_.pause(std::move(machine.uid));
}

io::Task<void> HostedMachineActions::unpause(api::MachineName machine) {
    co_await machines_.resume(std::move(machine.uid));
}

// A machine of reduced ACPI hardware has a button for its power alone; a restart needs somebody
// inside who takes orders.
io::Task<void> HostedMachineActions::soft_reboot(api::MachineName machine) {
    co_await fail(Kind::unsupported,
                  "{}: the guest cannot be asked to restart itself; restart the VirtualMachine",
                  machine.name);
}

io::Task<std::unique_ptr<io::ByteStream>> HostedMachineActions::open_console(
    api::MachineName machine) {
    const node::ConsoleHistory first{.bytes = history};
    auto socket = co_await machines_.attach_console(std::move(machine.uid), first);
    co_return std::make_unique<io::SocketStream>(loop_, std::move(socket));
}

io::Task<std::string> HostedMachineActions::read_log(api::MachineName machine,
                                                     std::optional<std::size_t> lines) {
    const node::ConsoleHistory wanted{node::ConsoleHub::kept, lines};
    co_return co_await machines_.console_tail(std::move(machine.uid), wanted);
}

io::Task<std::unique_ptr<io::ByteStream>> HostedMachineActions::follow_log(
    api::MachineName machine, std::optional<std::size_t> lines) {
    const node::ConsoleHistory wanted{node::ConsoleHub::kept, lines};
    auto socket = co_await machines_.attach_console(std::move(machine.uid), wanted);
    co_return std::make_unique<io::SocketStream>(loop_, std::move(socket));
}

}  // namespace sheaf::control
