#pragma once

// Why: a virtual machine stops for one reason, and everything above (exit code, report, restart)
// follows from it.

#include <string>

namespace sheaf::vmm {

struct Ending {
    enum class How {
        powered_off,     // the guest wrote S5
        reset,           // the guest asked for a reboot
        panicked,        // the guest said so (pvpanic)
        triple_faulted,  // the processor gave up
        forced_off,      // somebody else ended it
        failed,          // Sheaf or KVM could not go on
    };
    How how = How::failed;
    std::string detail;  // for a person; empty where `how` says it all
};

// Takes the news, from any vCPU thread. The vCPU that reports does not enter the guest again.
class EndingSink {
  public:
    virtual void ended(Ending ending) = 0;

  protected:
    ~EndingSink() = default;
};

}  // namespace sheaf::vmm
