#pragma once

// Why: a split virtqueue (virtio 1.2, section 2.7) seen from the device. The ring lies in guest
// memory and is hostile: an index, a length or a loop that the specification forbids marks the
// queue broken and ends it; it never ends the process.
//
//     while (auto chain = co_await queue.next()) group.start(answer(*std::move(chain)));
//     co_await group.join();

#include <memory>
#include <optional>
#include <vector>

#include "devices/virtio/chain.h"
#include "devices/virtio/ring.h"
#include "io/loop.h"
#include "vmm/guest_memory.h"

namespace sheaf::virtio {

// What a queue does when it has used buffers to report, or found the driver at fault. Loop thread.
class QueueOwner {
  public:
    virtual void interrupt(std::uint16_t queue_index) = 0;
    // At most once a queue, from inside next(), try_next() or kick(): the queue may be stopped,
    // not destroyed, before this returns.
    virtual void broken(std::uint16_t queue_index, const Error& why) = 0;

  protected:
    ~QueueOwner() = default;
};

// Loop thread only. Outlives its chains.
class Queue final : io::TurnHook, io::PollSource {
  public:
    // Checks the setup against the memory map: alignment, size, each area inside one region.
    // Memory, loop and owner outlive the queue.
    static Result<std::unique_ptr<Queue>> create(const QueueSetup& setup,
                                                 const vmm::GuestMemory& memory, io::Loop& loop,
                                                 QueueOwner& owner);

    std::uint16_t index() const { return setup_.index; }
    std::uint16_t size() const { return setup_.size; }

    // The next chain if there is one now; never waits, and asks for no doorbell. None when stopped
    // or broken.
    std::optional<Chain> try_next();
    // co_await queue.next(): the next chain, or none once the queue is stopped or broken. Chains
    // that are there are given without suspending; as what is used is published at the end of a
    // turn, a driver can have no more than size() of them taken in one turn. Only stop() ends the
    // wait early, cancelling the task does not. One waiter at a time.
    auto next() { return Next{*this}; }

    // The driver rang the doorbell: resumes next() where there is a chain for it.
    void kick();
    // No more chains: next() gives none from now on. Chains still out may be destroyed, and no
    // longer touch the ring. (What is out of a broken queue is still reported to the driver.)
    void stop();
    bool stopped() const { return state_ != State::working; }

  private:
    friend class Chain;
    struct [[nodiscard]] Next {
        Queue& queue;
        bool await_ready() {
            queue.pending_ = queue.try_next();
            return queue.pending_.has_value() || queue.stopped();
        }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> caller) {
            queue.waiter_.remember(caller);
            queue.begin_wait();
        }
        std::optional<Chain> await_resume() { return std::exchange(queue.pending_, std::nullopt); }
    };

    enum class State { working, broken, stopped };

    // What belongs to one chain in flight, by its head's index; its room is kept for the next one.
    struct Slot {
        std::vector<iovec> pieces;
        std::size_t readable = 0;  // so many of them come first
        bool out = false;
    };

    Queue(const QueueSetup& setup, const Ring& ring, const vmm::GuestMemory& memory, io::Loop& loop,
          QueueOwner& owner);

    Result<std::optional<Chain>> take();
    void begin_wait();
    void give_back(std::uint16_t head, std::uint32_t written);
    void turn_ended() override;  // publishes the used index and interrupts once for the turn
    bool look() override;        // whether the driver offered something to who waits
    bool arm() override;         // asks for a doorbell before that

    const QueueSetup setup_;
    Ring ring_;
    const vmm::GuestMemory& memory_;
    io::Loop& loop_;
    QueueOwner& owner_;
    std::vector<Slot> slots_;
    State state_ = State::working;
    std::uint16_t next_available_ = 0;  // chains taken, modulo 65536, as are the next two
    std::uint16_t next_used_ = 0;       // chains given back
    std::uint16_t published_ = 0;       // of these, what the driver has been told
    std::optional<Chain> pending_;      // for the waiter
    io::Suspended waiter_;
    bool waiting_ = false;
    // Whether the driver rings for the next chain; as a new ring is laid out, it does.
    bool armed_ = true;
};

}  // namespace sheaf::virtio
