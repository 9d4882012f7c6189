#include "node/console_ring.h"

#include "base/bytes.h"

namespace sheaf::node {

void ConsoleRing::append(std::span<const std::byte> bytes) {
    text_ += as_text(bytes);
    // Cutting only at twice the limit makes the copying linear in what the guest prints.
    if (text_.size() > 2 * limit_) text_.erase(0, text_.size() - limit_);
}

std::string ConsoleRing::last_lines(std::size_t count) const {
    const auto all = text();
    auto start = all.size();
    if (start > 0 && all[start - 1] == '\n') --start;
    while (start > 0 && (all[start - 1] != '\n' || --count > 0)) --start;
    return std::string{all.substr(start)};
}

}  // namespace sheaf::node
