#pragma once

// Why: some of what clients ask of a machine is no change of an object: who runs the machine does
// it. The API knows him by this interface alone.

#include <memory>
#include <optional>
#include <string>

#include "io/byte_stream.h"
#include "io/task.h"

namespace sheaf::api {

struct MachineName {
    std::string name_space;
    std::string name;
    std::string uid;  // of the VirtualMachineInstance
};

// Loop thread only, any number of calls at once. not_found: it does not run here; conflict: it is
// not in a state in which that can be done; unsupported: that cannot be done with this machine. The
// text is for the client. Anything else is a failure of the host.
class MachineActions {
  public:
    virtual io::Task<void> pause(MachineName machine) = 0;
    virtual io::Task<void> unpause(MachineName machine) = 0;
    // Asks the guest to start again.
    virtual io::Task<void> soft_reboot(MachineName machine) = 0;
    // What the guest prints, the latest of before first, and what is typed. It ends with the
    // machine. The stream may outlive this object's caller, not this object.
    virtual io::Task<std::unique_ptr<io::ByteStream>> open_console(MachineName machine) = 0;
    // What the guest printed, as far as it is kept, or the last lines of it; also of a machine that
    // has ended.
    virtual io::Task<std::string> read_log(MachineName machine,
                                           std::optional<std::size_t> lines) = 0;
    // The same, and what it prints from then on. conflict: it has ended.
    virtual io::Task<std::unique_ptr<io::ByteStream>> follow_log(
        MachineName machine, std::optional<std::size_t> lines) = 0;

  protected:
    ~MachineActions() = default;
};

}  // namespace sheaf::api
