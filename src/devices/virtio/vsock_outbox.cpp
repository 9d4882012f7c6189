#include "devices/virtio/vsock_outbox.h"

#include <utility>

namespace sheaf::virtio {

void VsockOutbox::add(VsockConnection& connection) {
    if (std::exchange(connection.queued, true)) return;
    connections_.push_back(&connection);
    filled_.set();
}

void VsockOutbox::add_reset(const VsockHeader& reset) {
    if (resets_.size() == most_resets) return;
    resets_.push_back(reset);
    filled_.set();
}

void VsockOutbox::remove(VsockConnection& connection) {
    if (std::exchange(connection.queued, false)) std::erase(connections_, &connection);
}

void VsockOutbox::clear() {
    for (auto* connection : connections_) connection->queued = false;
    connections_.clear();
    resets_.clear();
}

std::optional<VsockHeader> VsockOutbox::take_reset() {
    if (resets_.empty()) return std::nullopt;
    const auto reset = resets_.front();
    resets_.pop_front();
    return reset;
}

VsockConnection& VsockOutbox::take_connection() {
    auto& connection = *connections_.front();
    connections_.pop_front();
    connection.queued = false;
    return connection;
}

io::Task<void> VsockOutbox::wait() {
    while (empty()) {
        filled_.clear();
        co_await filled_.wait();
    }
}

}  // namespace sheaf::virtio
