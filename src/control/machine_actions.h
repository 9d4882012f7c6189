#pragma once

// Why: what clients ask of a running machine goes to its keeper, whoever started that.

#include "api/machine_actions.h"
#include "node/supervisor.h"

namespace sheaf::control {

// Loop thread only. What is passed outlives it.
class HostedMachineActions final : public api::MachineActions {
  public:
    HostedMachineActions(io::Loop& loop, node::Supervisor& machines)
        : loop_(loop), machines_(machines) {}

    io::Task<void> pause(api::MachineName machine) override;
    io::Task<void> unpause(api::MachineName machine) override;
    io::Task<void> soft_reboot(api::MachineName machine) override;
    io::Task<std::unique_ptr<io::ByteStream>> open_console(api::MachineName machine) override;
    io::Task<std::string> read_log(api::MachineName machine,
                                   std::optional<std::size_t> lines) override;
    io::Task<std::unique_ptr<io::ByteStream>> follow_log(api::MachineName machine,
                                                         std::optional<std::size_t> lines) override;

  private:
    io::Loop& loop_;
    node::Supervisor& machines_;
};

}  // namespace sheaf::control
