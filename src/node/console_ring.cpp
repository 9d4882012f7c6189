#include "node/console_ring.h"

#include "base/bytes.h"

namespace sheaf::node {

void ConsoleRing::append(std::span<const std::byte> bytes) {
    text_ += as_text(bytes);
    // Cutting only at twice the limit makes the copying linear in what the guest prints.
    if (text_.size() > 2 * limit_) text_.erase(0, text_.size() - limit_);
}

std::string_view ConsoleRing::tail_of(std::string_view text, ConsoleHistory history) {
    text.remove_prefix(text.size() - std::min(text.size(), history.bytes));
    if (!history.lines) return text;
    auto count = *history.lines;
    if (count == 0) return {};
    auto start = text.size();
    if (start > 0 && text[start - 1] == '\n') --start;
    while (start > 0 && (text[start - 1] != '\n' || --count > 0)) --start;
    return text.substr(start);
}

}  // namespace sheaf::node
