#pragma once

// Why: what keeper and VMM have to say goes to a file that a guest cannot fill without end.

#include "base/fd.h"
#include "io/loop.h"
#include "io/task.h"

namespace sheaf::node {

// From its creation on whatever this process and its children write to descriptor 2 comes through
// here. Loop thread.
class BoundedLog {
  public:
    // Takes the place of descriptor 2, which is a file that is appended to.
    static Result<BoundedLog> take_over();

    // Carries lines until cancelled. Once `most` bytes are in the file it says so, and drops them.
    static constexpr std::size_t most = 1 << 20;
    io::Task<void> carry(io::Loop& loop);
    // What was written and not carried. Waits for nothing.
    void drain();

  private:
    BoundedLog(Fd file, Fd reader, std::size_t room)
        : file_(std::move(file)), reader_(std::move(reader)), room_(room) {}
    void write(std::span<const std::byte> bytes);

    Fd file_;
    Fd reader_;
    std::size_t room_;
};

}  // namespace sheaf::node
