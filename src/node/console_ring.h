#pragma once

// Why: what the guest printed last explains how it ended. A ring keeps the newest bytes.

#include <cstddef>
#include <span>
#include <string>

namespace sheaf::node {

class ConsoleRing {
  public:
    explicit ConsoleRing(std::size_t limit) : limit_(limit) {}

    void append(std::span<const std::byte> bytes);
    // All that is kept, oldest first.
    const std::string& text() const { return text_; }
    // The last `count` whole lines of it, or fewer.
    std::string last_lines(std::size_t count) const;

  private:
    std::size_t limit_;
    std::string text_;
};

}  // namespace sheaf::node
