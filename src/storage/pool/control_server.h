#pragma once

// Why: while a process has a volume open, it does for others what the engine alone can do
// (docs/formats/volume-control.md).

#include "io/task_group.h"
#include "storage/pool/line_channel.h"
#include "storage/pool/volume_work.h"

namespace sheaf::pool {

// Loop thread. Engine and user outlive it.
class ControlServer {
  public:
    struct Served {
        volume::Volume& engine;
        VolumeUser& user;
        std::string name;
    };
    // Answers on a listening socket from now on.
    ControlServer(io::Loop& loop, Fd listener, Served served);
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;
    // After stop().
    ~ControlServer() = default;

    // Answers nobody any more, and cuts short what is under way: all of it can be.
    io::Task<void> stop();

  private:
    struct Client;

    io::Task<void> accept_all();
    void take(Fd socket);
    io::Task<void> serve(Fd socket);
    io::Task<void> converse(Client& client);
    io::Task<ControlReply> answer(Client& client, ControlRequest request);
    io::Task<void> tell_progress(Client& client);

    io::Loop& loop_;
    Fd listener_;
    Served served_;
    io::TaskGroup tasks_;
};

}  // namespace sheaf::pool
