#pragma once

// Why: one keeper stands beside every virtual machine. It opens what the machine uses, starts the
// VMM with the descriptors, carries the console, presses the power button when asked to end, starts
// the VMM again when the guest reboots, and says how it all ended. Its signals are a terminal's way
// to command it; in the background others do (keeper_server.h).

#include "base/child.h"
#include "io/task_group.h"
#include "node/console_host.h"
#include "node/console_ring.h"
#include "node/control.h"
#include "node/exit_report.h"
#include "node/kept_machine.h"
#include "node/resources.h"

namespace sheaf::node {

class Keeper final : public KeptMachine {
  public:
    // Opens the resources and the console, and takes SIGTERM, SIGINT, SIGHUP and SIGUSR1 over: call
    // it before any thread exists. The options and the loop outlive the keeper.
    static Result<std::unique_ptr<Keeper>> create(const RunOptions& options, io::Loop& loop);
    // The same with a console that is open, whatever the options name.
    static Result<std::unique_ptr<Keeper>> create(const RunOptions& options, io::Loop& loop,
                                                  std::unique_ptr<ConsoleHost> console);

    // Runs the machine to its end, turning the loop.
    ExitReport run();

    // KeptMachine, while run() turns the loop.
    KeeperStatus status() const override;
    void on_change(std::function<void()> changed) override { changed_ = std::move(changed); }
    void press_power_button(std::chrono::seconds grace) override;
    void force_off() override;
    void pause() override;
    void resume() override;
    bool wants_pause() const override { return wants_pause_; }
    void refresh_disks() override { command(Command::refresh_disks); }

  private:
    // One life of a VMM process: from start to the end of its console output.
    struct Session {
        Child child;
        Fd control;
        Fd console;
        Fd dials;  // where a VMM asks for programs of the host; none without vsock
        std::map<std::size_t, Fd> layers;  // and for layers of its volumes, by disk
    };

    Keeper(const RunOptions& options, io::Loop& loop, Resources resources, Fd signals,
           std::unique_ptr<ConsoleHost> console);

    io::Task<void> supervise();
    io::Task<vmm::Ending> run_sessions();
    io::Task<vmm::Ending> live(Session& session);
    io::Task<vmm::Ending> follow(Session& session);
    io::Task<void> pump_output(Session& session);
    io::Task<void> pump_input();
    io::Task<void> watch_signals();
    io::Task<void> force_at(io::TimePoint deadline);
    io::Task<void> kill_after_grace();

    Result<Session> start_session();
    io::Task<void> forward_input(std::span<const std::byte> bytes);
    void heed(EventName event);
    void enter(MachineState state);
    void command(Command command);
    void tell(std::string_view message) const;
    bool should_restart(const vmm::Ending& ending) const;

    const RunOptions& options_;
    io::Loop& loop_;
    Resources resources_;
    Fd signals_;
    std::unique_ptr<ConsoleHost> console_;
    ConsoleRing ring_;
    io::TaskGroup group_;
    Session* session_ = nullptr;
    ExitReport report_;
    bool escape_pending_ = false;
    MachineState state_ = MachineState::starting;
    std::function<void()> changed_ = [] {};
    std::optional<io::TimePoint> forcing_at_;
    bool wants_pause_ = false;
    bool power_button_pressed_ = false;
    bool forced_ = false;
};

// The signals a keeper reads from a descriptor: blocked here for this thread and all it makes.
Result<Fd> open_signals();

}  // namespace sheaf::node
