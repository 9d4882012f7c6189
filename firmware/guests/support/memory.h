// Guest memory beyond the image, handed out from the bottom and never given back.
#pragma once

#include <cstddef>
#include <cstdint>

namespace probe {

class Arena {
  public:
    Arena() = default;
    Arena(uint64_t begin, uint64_t end) : next_(begin), end_(end) {}

    // Zeroed memory, or zero when there is not enough. `alignment` is a power of two.
    uint64_t take(uint64_t size, uint64_t alignment = 4096);
    uint64_t end() const { return end_; }

  private:
    uint64_t next_ = 0;
    uint64_t end_ = 0;
};

void copy_bytes(uint64_t to, uint64_t from, uint64_t size);
void fill_bytes(uint64_t to, uint8_t value, uint64_t size);

}  // namespace probe
