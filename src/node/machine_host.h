#pragma once

// Why: who decides which machines are to run needs to know what runs, and to begin and end it; how
// that is done is the supervisor's, and a test brings its own.

#include <chrono>
#include <functional>
#include <vector>

#include "io/task.h"
#include "node/cgroup.h"
#include "node/keeper_status.h"
#include "node/machine_file.h"

namespace sheaf::node {

// A disk that is made with a machine, and ends with it.
struct PrivateDisk {
    std::string name;        // of a file
    std::uint64_t size = 0;  // bytes; zeroes behind the content
    std::string content;     // at its beginning
};

struct MachinePlan {
    MachineFile file;  // cookie, boot and cgroups are the host's to fill
    MachineCaps caps;
    std::vector<PrivateDisk> disks;
};

// What is known of a machine.
struct SupervisedMachine {
    std::string uid;
    std::string name;
    std::optional<KeeperStatus> status;  // as its keeper last said
    std::optional<ExitReport> report;    // it has ended; also "keeper_lost" and "host_restarted"
    std::size_t taps = 0;                // interfaces
    std::string trouble;                 // why its keeper cannot be spoken to; empty: it can
};

// Loop thread.
class MachineHost {
  public:
    // Null where there is none. Until the next wait.
    virtual const SupervisedMachine* find(const std::string& uid) const = 0;
    virtual std::vector<const SupervisedMachine*> all() const = 0;
    // Where a private disk of the machine is.
    virtual std::string path_of_disk(const std::string& uid, const std::string& name) const = 0;

    // Returns once its keeper was started; whether the machine runs is seen then. Fails with
    // exists, or with what could not be done, and then nothing is left.
    virtual io::Task<void> start(MachinePlan plan) = 0;
    // Forced when the grace is over, whatever becomes of this daemon. Both fail with not_found or
    // conflict where it is not there or has ended, and as the keeper says.
    virtual io::Task<void> press_power_button(std::string uid, std::chrono::seconds grace) = 0;
    virtual io::Task<void> force_off(std::string uid) = 0;
    // Of a machine that has ended, or is not there: nothing is left of it. Fails with conflict
    // where it has not ended.
    virtual io::Task<void> remove(std::string uid) = 0;

  protected:
    ~MachineHost() = default;
};

}  // namespace sheaf::node
