#pragma once

// Why: a machine in the background is reached by its keeper's socket, by daemons that come and go
// (docs/formats/keeper-control.md).

#include <sys/types.h>

#include <list>

#include "base/json_tree.h"
#include "io/event.h"
#include "io/task_group.h"
#include "node/console_hub.h"
#include "node/kept_machine.h"
#include "storage/pool/line_channel.h"

namespace sheaf::node {

// What says that a keeper is the one that was started for a machine.
struct KeeperIdentity {
    std::string machine;  // its uid
    std::string cookie;
    std::string boot;  // of the host
};

// Loop thread. Whatever is passed outlives it.
class KeeperServer {
  public:
    // Serves root and this user.
    KeeperServer(io::Loop& loop, Fd listener, KeptMachine& machine, ConsoleHub& console,
                 KeeperIdentity identity);
    // The machine has ended, and its report is stable: tells who watches, gives readers of the
    // console what is left, and closes. Before it is destroyed.
    io::Task<void> end();

  private:
    struct Client {
        pool::LineChannel channel;
        Fd socket;  // the same one
        io::Event changed;
        bool gone = false;
    };
    struct Request {
        std::string name;
        Json fields;
    };

    io::Task<void> accept_all();
    io::Task<void> serve(Fd socket);
    io::Task<void> converse(Client& client);
    io::Task<void> answer(Client& client, Request request);
    io::Task<Json> perform(Client& client, Request request);
    io::Task<void> await_pause(Client& client, bool paused);
    io::Task<void> watch(Client& client);
    io::Task<void> notice_end(Client& client);
    io::Task<void> give_console(Client& client, ConsoleHistory history);
    io::Task<void> join_all();
    void tell_all();
    Json hello() const;

    io::Loop& loop_;
    Fd listener_;
    KeptMachine& machine_;
    ConsoleHub& console_;
    const KeeperIdentity identity_;
    std::list<Client*> clients_;
    io::TaskGroup accepting_;
    io::TaskGroup serving_;
};

}  // namespace sheaf::node
