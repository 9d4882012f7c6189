#pragma once

// Why: mapped memory has one owner; losing the owner unmaps it.

#include <cstddef>
#include <span>
#include <utility>

#include "base/result.h"

namespace sheaf {

class Mapping {
  public:
    Mapping() = default;
    Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~Mapping();

    // mmap(2) of `length` bytes from `offset` of descriptor fd (-1 with MAP_ANONYMOUS).
    static Result<Mapping> create(std::size_t length, int protection, int flags, int fd = -1,
                                  std::size_t offset = 0);

    std::span<std::byte> bytes() const { return bytes_; }

  private:
    explicit Mapping(std::span<std::byte> bytes) : bytes_(bytes) {}
    std::span<std::byte> bytes_;
};

}  // namespace sheaf
