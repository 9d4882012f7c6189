#pragma once

// Why: for each direct transfer the kernel looks up the pages of its buffer, holds them, and lets
// go of them again. Memory that is transferred from and to over and over is made known to it once.

#include <cstddef>
#include <span>
#include <utility>

namespace sheaf::io {

class Loop;

// While it lives, a read or write of one buffer inside the memory costs less; nothing else changes.
// It may stand for no memory: the loop's kind, the kernel or the limit of locked memory said no.
// The memory and the loop outlive it. Loop thread only.
class RegisteredMemory {
  public:
    RegisteredMemory() = default;
    static RegisteredMemory create(Loop& loop, std::span<std::byte> memory);
    RegisteredMemory(RegisteredMemory&& other) noexcept
        : loop_(std::exchange(other.loop_, nullptr)), place_(other.place_) {}
    RegisteredMemory& operator=(RegisteredMemory&& other) noexcept {
        std::swap(loop_, other.loop_);
        std::swap(place_, other.place_);
        return *this;
    }
    ~RegisteredMemory();

    explicit operator bool() const { return loop_ != nullptr; }

  private:
    Loop* loop_ = nullptr;
    unsigned place_ = 0;  // in the loop's table
};

}  // namespace sheaf::io
