#pragma once

// Why: one thread, one loop. Everything that waits goes through this interface, so that the kernel
// (UringLoop, PoolLoop) and the simulation (SimLoop) are interchangeable under all code above.

#include <functional>

#include "base/fd.h"
#include "io/operation.h"

namespace sheaf::io {

// Something to do once at the end of the current turn, before the loop submits and waits: the place
// to publish a batch (used ring, interrupts) that many completions of one turn added to.
class TurnHook {
  public:
    virtual void turn_ended() = 0;

  protected:
    ~TurnHook() = default;

  private:
    friend class TurnHooks;
    TurnHook* next_ = nullptr;
    bool queued_ = false;
};

// All members but post() and stop() are for the loop's own thread.
class Loop {
  public:
    Loop() = default;
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    virtual ~Loop() = default;

    // Queues a request; the kernel gets all of a turn's requests in one submission. complete() is
    // always called from a later turn of run(), never from inside start().
    virtual void start(Operation& operation) = 0;
    // Asks for an early end; complete() follows with -ECANCELED or the real result.
    virtual void cancel(Operation& operation) = 0;
    // Runs `work` on the loop's thread in a later turn. Any thread.
    virtual void post(std::move_only_function<void()> work) = 0;
    // Calls hook.turn_ended() at the end of this turn; queuing it twice calls it once.
    virtual void at_turn_end(TurnHook& hook) = 0;
    virtual TimePoint now() const = 0;
    // Makes buffers known to the kernel for Request::buffer_index; replaces earlier ones.
    virtual Result<void> register_buffers(std::span<const iovec> buffers) = 0;

    // Turns until stop() is called.
    virtual void run() = 0;
    // Makes run() return after the current turn. Any thread.
    virtual void stop() = 0;

    // Reads at `offset`; gives the count, 0 at the end. The buffers outlive the operation.
    Io<std::size_t> read(int fd, std::span<const iovec> vectors, std::uint64_t offset);
    Io<std::size_t> write(int fd, std::span<const iovec> vectors, std::uint64_t offset);
    // Waits for data on a descriptor without positions: pipe, eventfd, terminal, tap.
    Io<std::size_t> read_stream(int fd, std::span<const iovec> vectors);
    Io<std::size_t> write_stream(int fd, std::span<const iovec> vectors);
    Io<void> fdatasync(int fd);
    // `mode` as in fallocate(2).
    Io<void> fallocate(int fd, int mode, std::uint64_t offset, std::uint64_t length);
    // Waits for any of `events` (POLLIN, ...) and gives those that are ready.
    Io<unsigned> poll(int fd, unsigned events);
    Io<Fd> accept(int fd);
    Io<void> connect(int fd, const sockaddr* address, socklen_t length);
    Io<std::size_t> send(int fd, std::span<const iovec> buffer, int flags);
    Io<std::size_t> recv(int fd, std::span<const iovec> buffer, int flags);
    Io<void> sleep_until(TimePoint deadline);
    Io<void> sleep(Duration duration) { return sleep_until(now() + duration); }
};

// The queue of hooks that every Loop keeps; run() empties it, also of hooks added meanwhile.
class TurnHooks {
  public:
    void add(TurnHook& hook);
    void run();

  private:
    TurnHook* first_ = nullptr;
    TurnHook** last_ = &first_;
};

template <class T, bool ends_caller>
bool Io<T, ends_caller>::begin() {
    auto* scope = caller_.scope();
    if (scope && scope->cancelled()) {
        result_ = -ECANCELED;
        if (!ends_caller) return false;
        caller_.end_with(Error::from_os(ECANCELED, name_of(request.code)));
        return true;
    }
    if (scope) scope->add(*this);
    loop_.start(*this);
    return true;
}

}  // namespace sheaf::io
