#pragma once

// Why: who serves a keeper's socket commands a machine and hears of it; what else a keeper does is
// not its business.

#include <chrono>
#include <functional>

#include "node/keeper_status.h"

namespace sheaf::node {

// Loop thread.
class KeptMachine {
  public:
    virtual KeeperStatus status() const = 0;
    // Called whenever the status or wants_pause() has changed.
    virtual void on_change(std::function<void()> changed) = 0;
    // Asks the guest to power off, and forces the machine off when the grace is over; of two times
    // the sooner one holds. A machine that is paused goes on for it.
    virtual void press_power_button(std::chrono::seconds grace) = 0;
    virtual void force_off() = 0;
    // Both are requests: the status says when it is so.
    virtual void pause() = 0;
    virtual void resume() = 0;
    virtual bool wants_pause() const = 0;
    virtual void refresh_disks() = 0;

  protected:
    ~KeptMachine() = default;
};

}  // namespace sheaf::node
