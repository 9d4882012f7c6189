#include "base/base64.h"

#include <array>
#include <cstdint>

namespace sheaf {

namespace {

constexpr std::string_view letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_letter = 0xff;

constexpr auto values = [] {
    std::array<std::uint8_t, 256> table{};
    table.fill(no_letter);
    for (std::size_t i = 0; i < letters.size(); ++i)
        table[static_cast<unsigned char>(letters[i])] = static_cast<std::uint8_t>(i);
    return table;
}();

std::uint32_t octet(std::string_view bytes, std::size_t place) {
    return place < bytes.size() ? static_cast<unsigned char>(bytes[place]) : 0u;
}

}  // namespace

std::string to_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(3, bytes.size()))) {
        const auto group = octet(bytes, 0) << 16 | octet(bytes, 1) << 8 | octet(bytes, 2);
        text += letters[group >> 18];
        text += letters[group >> 12 & 63];
        text += bytes.size() > 1 ? letters[group >> 6 & 63] : '=';
        text += bytes.size() > 2 ? letters[group & 63] : '=';
    }
    return text;
}

Result<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0)
        return fail(Kind::invalid, "base64 of {} characters is not whole", text.size());
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    const auto padding = text.ends_with("==") ? 2u : text.ends_with('=') ? 1u : 0u;
    const auto content = text.size() - padding;
    for (std::size_t place = 0; place < text.size(); place += 4) {
        std::uint32_t group = 0;
        for (auto i = place; i < place + 4; ++i) {
            const auto value = i < content ? values[static_cast<unsigned char>(text[i])] : 0;
            if (value == no_letter)
                return fail(Kind::invalid, "base64 has a strange character at {}", i);
            group = group << 6 | value;
        }
        bytes += static_cast<char>(group >> 16);
        bytes += static_cast<char>(group >> 8 & 0xff);
        bytes += static_cast<char>(group & 0xff);
    }
    bytes.resize(bytes.size() - padding);
    return bytes;
}

}  // namespace sheaf
