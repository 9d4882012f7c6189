#pragma once

// Why: one thread, one loop. Everything that waits goes through this interface, so that the kernel
// (UringLoop, PoolLoop) and the simulation (SimLoop) are interchangeable under all code above.

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

#include "base/fd.h"
#include "io/operation.h"
#include "io/poll_source.h"
#include "io/turn_hooks.h"

namespace sheaf::io {

enum class LoopKind { io_uring, thread_pool, simulated };

// The kind as it is printed, for example "io_uring".
const char* to_string(LoopKind kind);

// All members but post() and stop() are for the loop's own thread: the one that calls run().
class Loop {
  public:
    Loop() = default;
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    virtual ~Loop() = default;

    virtual LoopKind kind() const = 0;

    // Queues a request; the kernel gets all of a turn's requests in one submission. complete() is
    // always called by run(), never from inside start() or cancel().
    virtual void start(Operation& operation) = 0;
    // Asks for an early end; complete() follows with -ECANCELED or the real result.
    virtual void cancel(Operation& operation) = 0;
    // Runs `work` on the loop's thread in a later turn. Any thread.
    virtual void post(std::move_only_function<void()> work) = 0;
    // Calls hook.turn_ended() at the end of this turn; queuing it twice calls it once.
    void at_turn_end(TurnHook& hook) { hooks_.add(hook); }
    // Looks at `source` instead of waiting for it to wake the loop (poll_source.h), until it
    // leaves.
    void watch(PollSource& source) { sources_.add(source); }
    virtual TimePoint now() const = 0;
    // For RegisteredMemory: its place in the loop's table, where the loop has one and there is
    // room.
    virtual std::optional<unsigned> register_memory(std::span<std::byte>) { return std::nullopt; }
    virtual void forget_memory(unsigned) {}

    // Turns until stop() is called; stop() called before run() ends it after one turn.
    virtual void run() = 0;
    // Makes run() return after the current turn. Any thread.
    virtual void stop() = 0;

    // Reads at `offset`; gives the count, which may be short, 0 at the end. The buffers, and the
    // array of vectors, outlive the operation.
    Io<std::size_t> read(int fd, std::span<const iovec> vectors, std::uint64_t offset,
                         Pace pace = Pace::may_wait);
    Io<std::size_t> read(int fd, std::span<std::byte> buffer, std::uint64_t offset,
                         Pace pace = Pace::may_wait);
    Io<std::size_t> write(int fd, std::span<const iovec> vectors, std::uint64_t offset,
                          Pace pace = Pace::may_wait);
    Io<std::size_t> write(int fd, std::span<const std::byte> buffer, std::uint64_t offset,
                          Pace pace = Pace::may_wait);
    // Waits for data on a descriptor without positions: pipe, eventfd, terminal, tap. Opened
    // without O_NONBLOCK it costs one request, with it three where it has to wait.
    Io<std::size_t> read_stream(int fd, std::span<const iovec> vectors);
    Io<std::size_t> read_stream(int fd, std::span<std::byte> buffer);
    Io<std::size_t> write_stream(int fd, std::span<const iovec> vectors);
    Io<std::size_t> write_stream(int fd, std::span<const std::byte> buffer);
    Io<void> fdatasync(int fd, Pace pace = Pace::may_wait);
    // `mode` as in fallocate(2).
    Io<void> fallocate(int fd, int mode, std::uint64_t offset, std::uint64_t length,
                       Pace pace = Pace::may_wait);
    // Waits for any of `events` (POLLIN, ...) and gives those that are ready.
    Io<unsigned> poll(int fd, unsigned events);
    Io<Fd> accept(int fd);
    Io<void> connect(int fd, const sockaddr* address, socklen_t length);
    // `flags` as in send(2) and recv(2); the count may be short, and 0 from recv is the end.
    Io<std::size_t> send(int fd, std::span<const std::byte> buffer, int flags);
    Io<std::size_t> recv(int fd, std::span<std::byte> buffer, int flags);
    Io<void> sleep_until(TimePoint deadline);
    Io<void> sleep(Duration duration) { return sleep_until(now() + duration); }

  protected:
    TurnHooks hooks_;
    PollSources sources_;
};

template <class T, OnError on_error>
bool Io<T, on_error>::begin() {
    if (caller_.in_cancelled_scope()) {
        result_ = -ECANCELED;
        if (on_error == OnError::look) return false;
        caller_.end_with(Error::from_os(ECANCELED, name_of(request.code)));
        return true;
    }
    if (auto* scope = caller_.scope()) scope->add(*this);
    loop_.start(*this);
    return true;
}

}  // namespace sheaf::io
