#pragma once

// Why: a machine in the background has no terminal. What its guest prints is kept, and any number
// of clients see it from where they like and type.

#include <list>

#include "base/units.h"
#include "io/event.h"
#include "node/console_host.h"
#include "node/console_ring.h"

namespace sheaf::node {

// Loop thread. Its clients have gone before it is destroyed.
class ConsoleHub final : public ConsoleHost {
  public:
    static constexpr std::size_t kept = 1_MiB;

    explicit ConsoleHub(io::Loop& loop) : loop_(loop) {}

    // Waits for nobody: who is more than `kept` bytes behind is let go.
    io::Task<void> show(std::span<const std::byte> bytes) override;
    // Never 0.
    io::Task<std::size_t> type(std::span<std::byte> bytes) override;

    // The last of what was printed. Until the next show().
    std::string_view tail(ConsoleHistory history) const { return ring_.tail(history); }
    // A client that sees so much of what was printed first. Until it closes, is let go, or end()
    // was called and it has all.
    io::Task<void> attach(Fd client, ConsoleHistory history);
    // Nothing will be printed any more.
    void end();

  private:
    struct Client {
        Fd socket;
        std::string pending;  // printed, and not sent
        io::Event news;
        bool gone = false;
    };
    io::Task<void> send_shown(Client& client);
    io::Task<void> take_typed(Client& client);
    void keep_typed(std::string_view typed);

    io::Loop& loop_;
    ConsoleRing ring_{kept};
    std::list<Client*> clients_;
    std::string typed_;
    io::Event has_typed_;
    bool ended_ = false;
};

}  // namespace sheaf::node
