#include "support/served_device.h"

#include "support/turns.h"

namespace sheaf::test {

ServedDevice::ServedDevice(io::Loop& loop, FakeGuest& guest, virtio::Device& device,
                           virtio::Features features, std::uint16_t queue_size)
    : loop_(loop), device_(device) {
    device_.set_notifier(this);
    must(device_.activate(features));
    for (const auto limit : device_.traits().queue_sizes) {
        const auto options =
            DriverQueue::Options{.index = static_cast<std::uint16_t>(queues_.size()),
                                 .size = std::min(limit, queue_size),
                                 .event_index = (features & virtio::ring_event_index) != 0,
                                 .indirect = (features & virtio::ring_indirect_descriptors) != 0};
        auto driver = std::make_unique<DriverQueue>(guest, options);
        auto queue = must(virtio::Queue::create(driver->setup(), guest.memory(), loop_, *this));
        queues_.push_back({std::move(driver), std::move(queue)});
    }
    for (const auto& served : queues_) group_.start(serve(*served.device));
}

ServedDevice::~ServedDevice() {
    stop();
    device_.set_notifier(nullptr);
}

io::Task<void> ServedDevice::serve(virtio::Queue& queue) {
    auto outcome = co_await device_.serve(queue).result();
    if (!outcome) errors_.push_back(outcome.error().text());
}

std::optional<DriverQueue::Used> ServedDevice::answer(std::size_t queue) {
    ring(queue);
    std::optional<DriverQueue::Used> used;
    const auto arrived = [&] {
        used = driver(queue).take_used();
        return used.has_value();
    };
    static_cast<void>(run_until(loop_, arrived));
    return used;
}

void ServedDevice::stop() {
    if (queues_.empty()) return;
    for (const auto& served : queues_) served.device->stop();
    if (!run_until(loop_, [this] { return group_.empty(); })) std::abort();
    device_.deactivate();
    queues_.clear();
}

}  // namespace sheaf::test
