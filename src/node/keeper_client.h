#pragma once

// Why: a daemon's end of a keeper's socket (docs/formats/keeper-control.md).

#include <memory>

#include "node/console_ring.h"
#include "node/keeper_protocol.h"
#include "storage/pool/line_channel.h"

namespace sheaf::node {

// What the keeper says of itself first.
struct KeeperHello {
    std::string machine;
    std::string cookie;
    std::string product;
    int version = 0;  // that both speak; 0: none
    KeeperStatus status;
};

// Of the requests about what was printed.
Json::Object fields_of(ConsoleHistory history);

// Loop thread; one call at a time. The loop outlives it.
class KeeperClient {
  public:
    KeeperClient(io::Loop& loop, Fd socket);
    // Connects at once. The failure is the system's: refused or not found where nobody listens.
    static Result<std::unique_ptr<KeeperClient>> connect(io::Loop& loop, const std::string& path);

    // First. Fails with unavailable where the keeper has closed, with invalid for what makes no
    // sense, unsupported for a keeper that speaks no version that is known here.
    io::Task<KeeperHello> greet();
    // Gives the result; fails as the keeper says, with unavailable where it has closed.
    io::Task<Json> ask(std::string request, Json::Object fields = {});
    // After `ask("watch")` was sent by begin_watch(): the next status; none once it has closed.
    io::Task<void> begin_watch();
    io::Task<std::optional<KeeperStatus>> next_status();
    // Turns the connection into a console. Nothing else can be asked for afterwards.
    io::Task<Fd> attach_console(ConsoleHistory history);
    // Waits until the keeper closes, whatever it says until then.
    io::Task<void> until_closed();
    // Whether it has closed, as far as is known here.
    bool closed() const;

  private:
    io::Task<void> send(std::string request, Json::Object fields);
    io::Task<std::string> receive();

    io::Loop& loop_;
    Fd socket_;
    pool::LineChannel channel_;
    int version_ = 0;
};

}  // namespace sheaf::node
