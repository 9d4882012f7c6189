#pragma once

// Why: the machines of this host, whoever started them: a daemon starts keepers, finds those of the
// daemon before it, hears how each ended, and removes what is left of it. A machine needs no daemon
// to go on (docs/formats/keeper-control.md).

#include <map>

#include "base/log.h"
#include "io/side_thread.h"
#include "io/task_group.h"
#include "node/keeper_client.h"
#include "node/machine_host.h"

namespace sheaf::node {

// Loop thread. Destroying it leaves the machines as they are.
class Supervisor final : public MachineHost {
  public:
    // The directory is made where it is not there; its parent is not. The rest outlives it.
    static Result<std::unique_ptr<Supervisor>> create(io::Loop& loop, const std::string& directory,
                                                      const Logger& logger);
    // Follows every machine of the directory. Returns once each has spoken or ended, or a moment
    // was too short for it: it is followed all the same.
    io::Task<void> adopt();
    // Lets go of them, and they go on. Before it is destroyed.
    io::Task<void> stop();

    // Whenever something about a machine has changed, or it was removed.
    void on_change(std::function<void(const std::string& uid)> changed) {
        changed_ = std::move(changed);
    }
    // MachineHost.
    const SupervisedMachine* find(const std::string& uid) const override;
    std::vector<const SupervisedMachine*> all() const override;
    std::string path_of_disk(const std::string& uid, const std::string& name) const override;
    io::Task<void> start(MachinePlan plan) override;
    io::Task<void> press_power_button(std::string uid, std::chrono::seconds grace) override;
    io::Task<void> force_off(std::string uid) override;
    io::Task<void> remove(std::string uid) override;

    // These fail as force_off() does.
    io::Task<void> pause(std::string uid);
    io::Task<void> resume(std::string uid);
    io::Task<void> refresh_disks(std::string uid);
    io::Task<Fd> attach_console(std::string uid, ConsoleHistory history);
    // Also of a machine that has ended: not_found where its keeper was lost, and that with it.
    io::Task<std::string> console_tail(std::string uid, ConsoleHistory history);

  private:
    struct Machine {
        SupervisedMachine known;
        MachineFile file;
        std::optional<pool::Directory> folder;
        Fd keeper_ended;
        Fd vmm_ended;
    };
    struct Launched {
        MachineFile file;
        pool::Directory folder;
        Fd keeper_ended;
    };

    Supervisor(io::Loop& loop, pool::Directory directory, std::unique_ptr<io::SideThread> files,
               const Logger& logger);

    // On the side thread.
    Result<Launched> launch(MachinePlan plan) const;
    Result<Launched> fill_and_launch(MachinePlan& plan, pool::Directory folder) const;
    std::vector<std::string> make_groups(const MachinePlan& plan) const;

    Result<void> take_up(const std::string& uid);
    io::Task<void> await_first_words();
    io::Task<void> follow(Machine& machine);
    io::Task<void> listen_to(Machine& machine);
    io::Task<void> hear(Machine& machine, KeeperClient& client);
    void note(Machine& machine, const KeeperStatus& status);
    io::Task<void> settle(Machine& machine);
    Result<ExitReport> ending_of(const Machine& machine, const std::string& exit) const;
    io::Task<std::unique_ptr<KeeperClient>> reach(std::string uid);
    io::Task<std::string> last_console(std::string uid);
    io::Task<Json> ask(std::string uid, std::string request, Json::Object fields = {});

    io::Loop& loop_;
    pool::Directory directory_;
    std::unique_ptr<io::SideThread> files_;
    const Logger& logger_;
    std::function<void(const std::string&)> changed_ = [](const std::string&) {};
    std::map<std::string, std::unique_ptr<Machine>> machines_;
    io::Event spoken_;
    io::TaskGroup following_;
};

}  // namespace sheaf::node
