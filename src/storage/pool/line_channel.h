#pragma once

// Why: both ends of a control socket speak in lines of bounded length.

#include <optional>
#include <string>

#include "base/fd.h"
#include "io/loop.h"
#include "io/task.h"

namespace sheaf::pool {

// One reader and one writer at a time. Loop thread only; the loop outlives it.
class LineChannel {
  public:
    // Of a connected stream socket; what comes in is at most so long.
    LineChannel(io::Loop& loop, Fd socket, std::size_t longest)
        : loop_(&loop), socket_(std::move(socket)), longest_(longest) {}

    // The next line without its end; none once the other end has closed. Fails with invalid where
    // it is too long.
    io::Task<std::optional<std::string>> receive();
    // Where it is cancelled, what is left of the line goes before the next one.
    io::Task<void> send(std::string line);

  private:
    io::Loop* loop_;
    Fd socket_;
    std::size_t longest_;
    std::string received_;  // and not given yet
    std::string to_send_;
    std::size_t sent_ = 0;  // bytes of it
};

}  // namespace sheaf::pool
