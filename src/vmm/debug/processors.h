#pragma once

// Why: what a debugger's connection needs of the processors is to have them stand still and go on.
// Those of a virtual machine are in vcpu_processors.h; tests bring their own.

#include <optional>
#include <span>

#include "io/event.h"
#include "io/task.h"
#include "vmm/debug/commands.h"

namespace sheaf::vmm::debug {

struct Stop {
    std::size_t cpu = 0;
    Cause cause;
};

// All members are for the loop's thread.
class Processors {
  public:
    // What they are while they stand still.
    virtual Debuggee& debuggee() = 0;
    // Waits until none of them is in the guest, and what they are is known. One at a time.
    virtual io::Task<void> halt() = 0;
    // Lets them go on, one `Go` for each. Stops that nobody asked for since halt() are forgotten;
    // where one is left that cannot happen again, nobody goes on and it is told.
    virtual void resume(std::span<const Go> go) = 0;
    // The first stop since resume(), while others may still be in the guest.
    virtual std::optional<Stop> next_stop() = 0;
    // `news` is set whenever there is a stop; null: nobody wants to know any more.
    virtual void tell(io::Event* news) = 0;

  protected:
    ~Processors() = default;
};

}  // namespace sheaf::vmm::debug
