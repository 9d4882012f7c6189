#pragma once

// Why: one client, from its greeting to its end, costs one connection and at most one line of the
// log, whatever it does.

#include <memory>
#include <optional>

#include "base/log.h"
#include "io/task_group.h"
#include "storage/nbd/negotiation.h"
#include "storage/nbd/transmission.h"

namespace sheaf::nbd {

class Connection {
  public:
    struct Terms {
        io::Duration patience{};                      // until an export must have been chosen
        std::optional<Negotiation::Refusal> refusal;  // what the client is told instead
    };

    // Loop, exports and logger outlive this.
    Connection(io::Loop& loop, Fd socket, Exports& exports, const Logger& logger, Terms terms);

    // Serves the client to its end. Never fails: who serves others goes on.
    io::Task<void> serve();
    // Takes nothing more from the client; what is in flight ends and is answered.
    void finish_up();

  private:
    io::Task<void> negotiate();
    io::Task<void> lose_patience();
    io::Task<void> transmit();
    void report(const Result<void>& outcome) const;

    io::Loop& loop_;
    Fd socket_;
    Exports& exports_;
    const Logger& logger_;
    Terms terms_;
    Input input_;

    bool too_slow_ = false;
    bool finishing_ = false;
    std::optional<Agreed> agreed_;
    std::unique_ptr<Transmission> transmission_;
    io::TaskGroup negotiating_;
    io::TaskGroup patience_;
};

}  // namespace sheaf::nbd
