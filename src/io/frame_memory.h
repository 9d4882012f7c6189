#pragma once

// Why: a request is some dozen coroutines, each of which has a frame for as long as it lasts. The
// general allocator took a seventh of a replicated write's processor time for them; here the next
// coroutine takes what one of its size has left.

#include <cstddef>

namespace sheaf::io {

// Memory for a coroutine's frame, aligned as by operator new, and throws as it does. It is given
// back with the same size, by any thread: each keeps a little of it for itself until it ends.
void* take_frame(std::size_t size);
void give_frame(void* frame, std::size_t size) noexcept;

}  // namespace sheaf::io
