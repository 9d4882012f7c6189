#pragma once

// Why: what every test of the queue begins with: a guest, its ring, and the device's side of it.

#include <string>

#include <gtest/gtest.h>

#include "devices/virtio/queue.h"
#include "io/uring_loop.h"
#include "support/driver_queue.h"
#include "support/turns.h"

namespace sheaf::virtio {

struct RecordingOwner final : QueueOwner {
    void interrupt(std::uint16_t) override { ++interrupts; }
    void broken(std::uint16_t, const Error& why) override {
        ++faults;
        fault = why.text();
    }
    unsigned interrupts = 0;
    unsigned faults = 0;
    std::string fault;
};

struct QueueFixture {
    explicit QueueFixture(const test::DriverQueue::Options& options = {})
        : driver(guest, options),
          loop(test::must(io::UringLoop::create(8))),
          queue(test::must(Queue::create(driver.setup(), guest.memory(), *loop, owner))) {}

    // Takes and returns every chain there is.
    unsigned drain() {
        auto count = 0U;
        while (auto chain = queue->try_next()) ++count;
        return count;
    }

    test::FakeGuest guest;
    test::DriverQueue driver;
    std::unique_ptr<io::UringLoop> loop;
    RecordingOwner owner;
    std::unique_ptr<Queue> queue;
};

}  // namespace sheaf::virtio
