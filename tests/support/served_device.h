#pragma once

// Why: a virtio device without a transport: activated, its queues served on a loop, a driver on
// the other side. For tests of what a device does with requests.
//
//     ServedDevice served{*loop, guest, device, features};
//     served.driver(0).chain().readable(header).writable(513).offer();
//     auto used = served.answer(0);   // rings, turns the loop, gives the used entry

#include <memory>
#include <string>
#include <vector>

#include "devices/virtio/device.h"
#include "io/task_group.h"
#include "support/driver_queue.h"

namespace sheaf::test {

class ServedDevice final : virtio::QueueOwner, virtio::ConfigNotifier {
  public:
    // Activates the device with `features` and serves all its queues, of at most `queue_size`
    // entries. Ring features among `features` shape the queues.
    ServedDevice(io::Loop& loop, FakeGuest& guest, virtio::Device& device,
                 virtio::Features features, std::uint16_t queue_size = 64);
    ~ServedDevice();  // stops, if stop() was not called

    DriverQueue& driver(std::size_t queue) { return *queues_.at(queue).driver; }
    virtio::Queue& queue(std::size_t queue) { return *queues_.at(queue).device; }

    void ring(std::size_t queue) { queues_.at(queue).device->kick(); }
    // Rings, then turns the loop until there is a used entry; none where that takes too long.
    std::optional<DriverQueue::Used> answer(std::size_t queue);

    unsigned interrupts(std::size_t queue) const { return queues_.at(queue).interrupts; }
    unsigned config_changes() const { return config_changes_; }
    // Why queues broke, in order.
    const std::vector<std::string>& faults() const { return faults_; }
    // Errors that serve() ended with.
    const std::vector<std::string>& errors() const { return errors_; }

    // As on a reset of the driver: stops the queues, waits for serve() to end, deactivates.
    void stop();

  private:
    struct Served {
        std::unique_ptr<DriverQueue> driver;
        std::unique_ptr<virtio::Queue> device;
        unsigned interrupts = 0;
    };
    io::Task<void> serve(virtio::Queue& queue);
    void interrupt(std::uint16_t queue) override { ++queues_.at(queue).interrupts; }
    void broken(std::uint16_t, const Error& why) override { faults_.push_back(why.text()); }
    void config_changed() override { ++config_changes_; }

    io::Loop& loop_;
    virtio::Device& device_;
    std::vector<Served> queues_;
    std::vector<std::string> faults_;
    std::vector<std::string> errors_;
    unsigned config_changes_ = 0;
    io::TaskGroup group_;
};

}  // namespace sheaf::test
