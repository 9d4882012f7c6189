#pragma once

// Why: the heap takes large buffers from the kernel for each request and gives them back, at the
// price of a fault for each of their pages, and each transfer looks these up again. Those used last
// wait here for the next request, in memory that the loop has made known to the kernel.

#include <list>
#include <vector>

#include "io/registered_memory.h"
#include "storage/aligned_buffer.h"

namespace sheaf::storage {

// Loop thread only; the loop outlives it, and it outlives what it lends.
class BufferPool {
    struct Slab;

  public:
    // Slabs of which nothing is lent are kept as long as all that is idle is at most this, in
    // bytes.
    BufferPool(io::Loop& loop, std::size_t most_idle) : loop_(loop), most_idle_(most_idle) {}
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    // Goes back when it is destroyed.
    class Loan {
      public:
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        ~Loan();
        std::span<std::byte> bytes() const { return bytes_; }

      private:
        friend class BufferPool;
        Loan() = default;
        Loan(BufferPool& pool, std::list<Slab>::iterator slab, std::span<std::byte> bytes)
            : pool_(&pool), slab_(slab), bytes_(bytes) {}
        BufferPool* pool_ = nullptr;
        std::list<Slab>::iterator slab_;
        std::span<std::byte> bytes_;
    };
    // `size` bytes, not 0, of any content; empty when memory is short.
    Loan take(std::size_t size);
    void drop_idle();
    std::size_t idle() const { return idle_; }

  private:
    // Pieces of one size, a power of two.
    struct Slab {
        AlignedBuffer memory;
        io::RegisteredMemory registered;
        std::size_t piece;
        std::vector<std::byte*> idle;
        bool all_idle() const { return idle.size() * piece == memory.bytes().size(); }
    };
    std::list<Slab>::iterator add(std::size_t piece);
    void give_back(std::list<Slab>::iterator slab, std::byte* bytes);
    std::list<Slab>::iterator drop(std::list<Slab>::iterator slab);

    io::Loop& loop_;
    std::size_t most_idle_;
    std::size_t idle_ = 0;   // bytes of pieces that are not lent
    std::list<Slab> slabs_;  // those used last come first
};

}  // namespace sheaf::storage
