#pragma once

// Why: the host's side of a guest's console: a terminal, a file or a unix socket. The keeper pumps
// bytes between it and the VMM.

#include <memory>
#include <string>

#include "base/fd.h"
#include "io/loop.h"
#include "io/task.h"

namespace sheaf::node {

class ConsoleHost {
  public:
    // `where` is "stdio", "unix:PATH" or the path of a file, which is made or emptied. A socket is
    // removed with the console. The loop outlives it.
    static Result<std::unique_ptr<ConsoleHost>> open(const std::string& where, io::Loop& loop);
    virtual ~ConsoleHost() = default;

    // Shows what the guest printed. An output that is gone (closed pipe, no client) drops it.
    virtual io::Task<void> show(std::span<const std::byte> bytes) = 0;
    // Waits for what a person typed; 0 bytes when there will never be any more.
    virtual io::Task<std::size_t> type(std::span<std::byte> bytes) = 0;
    // Whether Ctrl-A is an escape here.
    virtual bool interactive() const { return false; }
};

}  // namespace sheaf::node
