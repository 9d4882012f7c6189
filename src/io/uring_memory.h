#pragma once

// Why: the table of memory that a ring knows (RegisteredMemory), and which of it a request's buffer
// lies in. Included only by the UringLoop.

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

struct io_uring;

namespace sheaf::io {

// The thread that the ring is bound to; the ring outlives it.
class UringMemory {
  public:
    explicit UringMemory(io_uring& ring) : ring_(ring) {}

    // Its place in the table; none where the kernel takes no table, or no more.
    std::optional<unsigned> add(std::span<std::byte> memory);
    // Requests in flight keep it until they end.
    void remove(unsigned place);
    // The place of the memory that all of these bytes lie in, or -1.
    int place_of(const void* bytes, std::size_t length) const;

  private:
    static constexpr unsigned most = 64;
    struct Entry {
        const std::byte* begin;
        const std::byte* end;
        unsigned place;
    };
    bool make_table();
    bool set(unsigned place, std::span<std::byte> memory);

    io_uring& ring_;
    std::vector<Entry> entries_;
    std::vector<unsigned> free_;  // places
    std::optional<bool> usable_;  // once tried
};

}  // namespace sheaf::io
