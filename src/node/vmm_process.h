#pragma once

// Why: the role a keeper starts: one process, one virtual machine. It opens nothing; all it has are
// the descriptors it inherits (docs/formats/vmm-control.md).

#include <memory>
#include <optional>
#include <span>

#include "io/event.h"
#include "io/task_group.h"
#include "node/control.h"
#include "node/machine.h"

namespace sheaf::node {

class VmmProcess final : vmm::EndingSink {
  public:
    VmmProcess(Fd control, io::Loop& loop, const Logger& log)
        : control_(std::move(control)), loop_(loop), log_(log) {}

    // Receives the specification and runs the machine to its end. Fails only where the keeper
    // cannot be told.
    Result<void> run();

  private:
    void ended(vmm::Ending ending) override;  // any thread; the first ending counts
    io::Task<void> live();
    io::Task<void> watch_control();
    void pause();
    void resume();
    void tell(EventName event);
    Result<void> report(const EventPacket& event) const;

    Fd control_;
    io::Loop& loop_;
    const Logger& log_;
    std::unique_ptr<Machine> machine_;
    std::mutex mutex_;
    std::optional<vmm::Ending> ending_;  // guarded by mutex_
    io::Event has_ended_;                // loop thread
};

// `sheaf vmm --control N`.
int vmm_main(std::span<char*> arguments);

}  // namespace sheaf::node
