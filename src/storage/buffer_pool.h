#pragma once

// Why: the heap takes large buffers from the kernel for each request and gives them back, at the
// price of a fault for each of their pages. Those used last wait here for the next request.

#include <array>
#include <vector>

#include "storage/aligned_buffer.h"

namespace sheaf::storage {

// One thread only; outlives what it lends.
class BufferPool {
  public:
    // So many bytes at most wait.
    explicit BufferPool(std::size_t most_idle) : most_idle_(most_idle) {}
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    // Goes back when it is destroyed.
    class Loan {
      public:
        Loan(BufferPool& pool, AlignedBuffer buffer, std::size_t size)
            : pool_(pool), buffer_(std::move(buffer)), size_(size) {}
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        ~Loan() { pool_.give_back(std::move(buffer_)); }
        std::span<std::byte> bytes() const {
            return buffer_.bytes().empty() ? std::span<std::byte>{} : buffer_.bytes().first(size_);
        }

      private:
        BufferPool& pool_;
        AlignedBuffer buffer_;
        std::size_t size_;
    };
    // `size` bytes, not 0, of any content; empty when memory is short.
    Loan take(std::size_t size);
    void drop_idle();
    std::size_t idle() const { return idle_bytes_; }

  private:
    static constexpr std::size_t classes = 10;  // powers of two of the alignment: 4 KiB to 2 MiB
    struct Class {
        std::vector<AlignedBuffer> idle;
        std::size_t made = 0;  // lent and idle ones; the vector has room for all
    };
    void give_back(AlignedBuffer buffer);

    std::size_t most_idle_;
    std::size_t idle_bytes_ = 0;
    std::array<Class, classes> classes_;
};

}  // namespace sheaf::storage
