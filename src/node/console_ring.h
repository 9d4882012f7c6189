#pragma once

// Why: what the guest printed last explains how it ended. A ring keeps the newest bytes.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sheaf::node {

// How much somebody wants to see of what was printed: the last bytes, of which whole lines alone
// where a number of them is given.
struct ConsoleHistory {
    std::size_t bytes = 0;
    std::optional<std::size_t> lines = {};
};

class ConsoleRing {
  public:
    explicit ConsoleRing(std::size_t limit) : limit_(limit) {}

    void append(std::span<const std::byte> bytes);
    // The newest bytes, at most as many as the limit, oldest first. Until the next append().
    std::string_view text() const {
        return std::string_view{text_}.substr(text_.size() - std::min(text_.size(), limit_));
    }
    // The last `count` whole lines of it, or fewer.
    std::string last_lines(std::size_t count) const { return std::string{tail({limit_, count})}; }
    // Until the next append().
    std::string_view tail(ConsoleHistory history) const { return tail_of(text(), history); }
    // The same of any text.
    static std::string_view tail_of(std::string_view text, ConsoleHistory history);

  private:
    std::size_t limit_;
    std::string text_;
};

}  // namespace sheaf::node
