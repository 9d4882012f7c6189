#include "io/registered_memory.h"

#include "io/loop.h"

namespace sheaf::io {

RegisteredMemory RegisteredMemory::create(Loop& loop, std::span<std::byte> memory) {
    RegisteredMemory registered;
    if (const auto place = loop.register_memory(memory)) {
        registered.loop_ = &loop;
        registered.place_ = *place;
    }
    return registered;
}

RegisteredMemory::~RegisteredMemory() {
    if (loop_) loop_->forget_memory(place_);
}

}  // namespace sheaf::io
