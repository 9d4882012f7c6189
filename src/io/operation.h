#pragma once

// Why: one request to the operating system, as data. A Loop turns it into a kernel submission (or
// simulates it), so the Loop interface stays small and every loop offers the same verbs.

#include <sys/socket.h>
#include <sys/uio.h>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <span>

#include "io/promise.h"

namespace sheaf::io {

class Loop;

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

// Whether a file may make its reader wait for a device, or lives in memory: see pace.h.
enum class Pace : std::uint8_t { may_wait, at_once };

struct Request {
    enum class Code : std::uint8_t {
        read,   // buffers -> preadv; offset -1 uses the file position (pipes, eventfds)
        write,  // buffers -> pwritev
        fdatasync,
        fallocate,  // mode, offset, length
        poll,       // events in mode; gives revents
        accept,     // gives a close-on-exec descriptor
        connect,    // address
        send,       // the first buffer, flags in mode
        recv,       // the first buffer, flags in mode
        sleep,      // until deadline
    };
    static constexpr std::uint64_t no_offset = ~std::uint64_t{0};

    Code code;
    Pace pace = Pace::may_wait;  // of a read, write, fdatasync or fallocate
    int fd = -1;
    std::uint32_t mode = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    std::span<const iovec> vectors;  // owned by the caller until completion
    iovec single{};                  // the only buffer, where vectors is empty
    const sockaddr* address = nullptr;
    socklen_t address_length = 0;
    TimePoint deadline{};

    std::span<const iovec> buffers() const {
        return vectors.empty() ? std::span{&single, 1} : vectors;
    }
};

// A request in flight. Its address is stable from start() until complete(). Loop thread only.
class Operation : public Cancellable {
  public:
    Operation(Loop& loop, const Request& what) : request(what), loop_(loop) {}

    // Called exactly once by the loop with the system call's result or -errno. May destroy *this.
    virtual void complete(int result) = 0;

    void cancel() override;  // asks the loop

    const Request request;

    // What a loop notes about an operation while it is in flight.
    struct LoopNotes {
        Operation* next = nullptr;
        Operation* previous = nullptr;
        int result = 0;
        enum class State : std::uint8_t { idle, queued, running, polling, sleeping, done };
        State state = State::idle;
        bool taken = false;  // by a worker thread, whose lock guards it
        bool cancel_asked = false;
        std::timespec deadline{};
        std::uint64_t key = 0;  // the loop's own name for it
    };
    LoopNotes notes;

  protected:
    ~Operation() = default;
    Loop& loop_;
};

// What the result of the system call becomes for the awaiting coroutine. For std::size_t, unsigned,
// void and Fd.
template <class T>
Result<T> result_of(int result, Request::Code code);

// What is being done, for messages: "reading", "waiting for a connection".
const char* name_of(Request::Code code);

// co_await-able operation giving T; made by the verbs of Loop. Neither moves nor copies.
template <class T, OnError on_error = OnError::end_caller>
class [[nodiscard]] Io final : public Operation {
  public:
    Io(Loop& loop, const Request& what) : Operation(loop, what) {}

    // The same, giving Result<T> instead of ending the caller on error.
    Io<T, OnError::look> result() && { return Io<T, OnError::look>{loop_, request}; }

    bool await_ready() const { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> caller) {
        caller_.remember(caller);
        return begin();
    }
    auto await_resume() {
        if constexpr (on_error == OnError::end_caller) {
            return detail::unwrap(result_of<T>(result_, request.code));
        } else {
            return result_of<T>(result_, request.code);
        }
    }

    void complete(int result) override {
        Scope::remove(*this);
        result_ = result;
        if (on_error == OnError::end_caller && result < 0) {
            caller_.end_with(Error::from_os(-result, name_of(request.code)));
        } else {
            caller_.resume();
        }
    }

  private:
    bool begin();  // starts the operation; false only where a cancelled scope ends it at once

    Suspended caller_;
    int result_ = 0;
};

}  // namespace sheaf::io
