#pragma once

// Why: what a kernel rarely does on demand (cut a transfer short, lack a way to make holes, fail a
// flush) decides whether a disk is correct. This loop performs requests by itself, one after the
// other, and does those things when it is told to.

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>

#include "io/loop.h"

namespace sheaf::storage {

class ScriptedLoop final : public io::Loop {
  public:
    // What the test turns.
    std::size_t most_bytes = SSIZE_MAX;  // of one transfer
    int fallocate_error = 0;
    int fdatasync_error = 0;
    // What the test looks at.
    unsigned transfers = 0;
    unsigned flushes = 0;
    unsigned fallocates = 0;

    io::LoopKind kind() const override { return io::LoopKind::simulated; }
    void start(io::Operation& operation) override { queue_.push_back(&operation); }
    void cancel(io::Operation&) override {}
    void post(std::move_only_function<void()>) override {}
    io::TimePoint now() const override { return {}; }
    void stop() override { stopped_ = true; }
    void run() override {
        stopped_ = false;
        while (!stopped_ && !queue_.empty()) {
            auto& operation = *queue_.front();
            queue_.pop_front();
            operation.complete(perform(operation.request));
        }
    }

  private:
    int perform(const io::Request& request) {
        switch (request.code) {
            case io::Request::Code::read:
            case io::Request::Code::write: return transfer(request);
            case io::Request::Code::fdatasync: ++flushes; return -fdatasync_error;
            case io::Request::Code::fallocate: ++fallocates; return -fallocate_error;
            default: return -ENOSYS;
        }
    }

    int transfer(const io::Request& request) {
        ++transfers;
        if (request.vectors.size() > IOV_MAX) return -EINVAL;
        std::size_t done = 0;
        for (const auto& piece : request.buffers()) {
            const auto length = std::min(piece.iov_len, most_bytes - done);
            const auto at = static_cast<off_t>(request.offset + done);
            const auto count = request.code == io::Request::Code::read
                                   ? ::pread(request.fd, piece.iov_base, length, at)
                                   : ::pwrite(request.fd, piece.iov_base, length, at);
            if (count < 0) return -errno;
            done += static_cast<std::size_t>(count);
            if (static_cast<std::size_t>(count) < piece.iov_len) break;
        }
        return static_cast<int>(done);
    }

    std::deque<io::Operation*> queue_;
    bool stopped_ = false;
};

}  // namespace sheaf::storage
