#pragma once

// Why: each request is bounded, and so is their number; what they take together is still more than
// a host gives away. Who comes when it is used up is told to come again.

#include <cstddef>

namespace sheaf::http {

// Bytes. One thread.
class MemoryBudget {
  public:
    explicit MemoryBudget(std::size_t size) : left_(size) {}
    std::size_t left() const { return left_; }

    // A part of it, which grows, and is given back at the end.
    class Share {
      public:
        explicit Share(MemoryBudget& budget) : budget_(budget) {}
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;
        ~Share() { release(); }

        // Whether there was room for so much more.
        bool grow(std::size_t bytes) {
            if (bytes > budget_.left_) return false;
            budget_.left_ -= bytes;
            taken_ += bytes;
            return true;
        }
        void release() {
            budget_.left_ += taken_;
            taken_ = 0;
        }

      private:
        MemoryBudget& budget_;
        std::size_t taken_ = 0;
    };

  private:
    std::size_t left_;
};

}  // namespace sheaf::http
