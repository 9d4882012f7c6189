#include "devices/console/shared.h"

namespace sheaf::console {

void Shared::Face::write(std::span<const std::byte> bytes) {
    shared_.current_.store(this, std::memory_order_relaxed);
    shared_.backend_.write(bytes);
}

// Whoever asks is given what there is: a face that lost its turn between being told and reading
// must still empty the backend, or nobody would be told again.
std::size_t Shared::Face::read(std::span<std::byte> bytes) {
    return shared_.backend_.read(bytes);
}

void Shared::Face::listen(Listener* listener) {
    listener_ = listener;
}

void Shared::input_available() {
    auto* listener = current_.load(std::memory_order_relaxed)->listener_.load();
    if (!listener) listener = serial_.listener_.load();
    if (listener) listener->input_available();
}

}  // namespace sheaf::console
