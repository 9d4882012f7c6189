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

#include "base/fd.h"
#include "devices/virtio/chain.h"
#include "io/loop.h"
#include "vmm/guest_memory.h"

namespace sheaf::virtio {

// Where the driver put a queue, and what was negotiated for it.
struct QueueSetup {
    std::uint16_t index = 0;
    std::uint16_t size = 0;
    Gpa descriptors;
    Gpa driver_area;  // available ring
    Gpa device_area;  // used ring
    bool event_index = false;
    bool indirect = false;
};

// What a queue does when it has used buffers to report, or found the driver at fault. Loop thread.
class QueueOwner {
  public:
    virtual void interrupt(std::uint16_t queue_index) = 0;
    virtual void broken(std::uint16_t queue_index, const Error& why) = 0;

  protected:
    ~QueueOwner() = default;
};

// Loop thread only. Outlives its chains.
class Queue : io::TurnHook {
  public:
    // Checks the setup against the memory map: alignment, size, all three areas inside one region.
    static Result<std::unique_ptr<Queue>> create(const QueueSetup& setup,
                                                 const vmm::GuestMemory& memory, io::Loop& loop,
                                                 QueueOwner& owner);
    virtual ~Queue() = default;

    std::uint16_t index() const { return setup_.index; }
    std::uint16_t size() const { return setup_.size; }

    // The next chain if there is one now; never waits. None when stopped or broken.
    std::optional<Chain> try_next();
    // co_await queue.next(): the next chain, or none once the queue is stopped or broken.
    auto next() { return Next{*this}; }

    // The driver rang the doorbell: resumes next().
    void kick();
    // No more chains: next() gives none from now on. Chains still out may be destroyed, and no
    // longer touch guest memory.
    void stop();
    bool stopped() const { return stopped_; }

  private:
    friend class Chain;
    struct [[nodiscard]] Next {
        Queue& queue;
        std::optional<Chain> chain{};
        bool await_ready() {
            chain = queue.poll();
            return chain.has_value() || queue.stopped_;
        }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> caller) {
            queue.waiter_.remember(caller);
            queue.waiting_ = true;
        }
        std::optional<Chain> await_resume() {
            if (!chain) chain = queue.try_next();
            return std::move(chain);
        }
    };

    Queue(const QueueSetup& setup, io::Loop& loop, QueueOwner& owner)
        : setup_(setup), loop_(loop), owner_(owner) {}

    // try_next(), and where there is none asks the driver to ring for the next one.
    std::optional<Chain> poll();
    void turn_ended() override;  // publishes the used index and interrupts once for the turn
    void give_back(std::uint16_t head, std::uint32_t written);

    QueueSetup setup_;
    io::Loop& loop_;
    QueueOwner& owner_;
    io::Suspended waiter_;
    bool waiting_ = false;
    bool stopped_ = false;
};

}  // namespace sheaf::virtio
