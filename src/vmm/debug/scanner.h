#pragma once

// Why: the arguments of a debugger's packets are numbers, signs and text, one after the other, of
// any length and in any disorder.

#include <optional>
#include <string_view>

#include "base/hex.h"

namespace sheaf::vmm::debug {

// Walks forward over text; each step says whether it could be taken.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    std::string_view rest() const { return rest_; }
    bool done() const { return rest_.empty(); }

    bool take(char letter) {
        if (!rest_.starts_with(letter)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    // A hexadecimal number of at least one digit that fits.
    std::optional<std::uint64_t> number() {
        std::uint64_t value = 0;
        std::size_t digits = 0;
        for (; digits < rest_.size() && hex_digit(rest_[digits]) >= 0; ++digits) {
            if (value >> 60 != 0) return std::nullopt;
            value = value << 4 | static_cast<std::uint64_t>(hex_digit(rest_[digits]));
        }
        if (digits == 0) return std::nullopt;
        rest_.remove_prefix(digits);
        return value;
    }
    // What comes before `letter`, which is taken as well, or all.
    std::string_view until(char letter) {
        const auto end = std::min(rest_.find(letter), rest_.size());
        const auto text = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        return text;
    }

  private:
    std::string_view rest_;
};

}  // namespace sheaf::vmm::debug
