#include "base/hex.h"

namespace sheaf {

void append_hex(std::string& text, std::span<const std::byte> bytes) {
    for (const auto byte : bytes) {
        const auto value = std::to_integer<unsigned>(byte);
        text.push_back(hex_digits[value >> 4]);
        text.push_back(hex_digits[value & 0xf]);
    }
}

std::string to_hex(std::span<const std::byte> bytes) {
    auto text = std::string{};
    append_hex(text, bytes);
    return text;
}

Result<std::vector<std::byte>> from_hex(std::string_view text) {
    auto bytes = std::vector<std::byte>{};
    if (text.size() % 2 != 0) return fail(Kind::invalid, "an odd number of digits");
    for (std::size_t at = 0; at < text.size(); at += 2) {
        const int high = hex_digit(text[at]);
        const int low = hex_digit(text[at + 1]);
        if (high < 0 || low < 0) return fail(Kind::invalid, "no hexadecimal digit");
        bytes.push_back(static_cast<std::byte>(high * 16 + low));
    }
    return bytes;
}

int hex_digit(char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
    return -1;
}

}  // namespace sheaf
