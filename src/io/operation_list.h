#pragma once

// Why: loops keep operations in queues, and a queue of operations must not allocate. The links are
// in the operation's notes, so an operation is in at most one list.

#include <utility>

#include "io/operation.h"

namespace sheaf::io {

class OperationList {
  public:
    OperationList() = default;
    OperationList(OperationList&& other) noexcept
        : first_(std::exchange(other.first_, nullptr)),
          last_(std::exchange(other.last_, nullptr)),
          size_(std::exchange(other.size_, 0)) {}
    OperationList& operator=(OperationList&& other) noexcept {
        std::swap(first_, other.first_);
        std::swap(last_, other.last_);
        std::swap(size_, other.size_);
        return *this;
    }

    bool empty() const { return !first_; }
    std::size_t size() const { return size_; }
    Operation* first() const { return first_; }
    static Operation* next(const Operation& operation) { return operation.notes.next; }

    void push_back(Operation& operation) {
        operation.notes.next = nullptr;
        operation.notes.previous = std::exchange(last_, &operation);
        (operation.notes.previous ? operation.notes.previous->notes.next : first_) = &operation;
        ++size_;
    }
    // `operation` is in this list.
    void remove(Operation& operation) {
        auto& notes = operation.notes;
        (notes.previous ? notes.previous->notes.next : first_) = notes.next;
        (notes.next ? notes.next->notes.previous : last_) = notes.previous;
        --size_;
    }
    // The list is not empty.
    Operation& pop_front() {
        auto& operation = *first_;
        remove(operation);
        return operation;
    }

  private:
    Operation* first_ = nullptr;
    Operation* last_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace sheaf::io
