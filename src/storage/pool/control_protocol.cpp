#include "storage/pool/control_protocol.h"

#include "base/bytes.h"

namespace sheaf::pool {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

}  // namespace

std::string to_text(const volume::LayerEntry& entry) {
    std::string text;
    for (const auto byte : bytes_of(entry)) {
        text += digits.at(std::to_integer<unsigned>(byte) >> 4);
        text += digits.at(std::to_integer<unsigned>(byte) & 15);
    }
    return text;
}

Result<volume::LayerEntry> parse_layer_entry(std::string_view text) {
    volume::LayerEntry entry{};
    if (text.size() != 2 * sizeof(entry))
        return fail(Kind::corrupt, "a table entry of {} digits", text.size());
    std::array<std::byte, sizeof(entry)> bytes{};
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto digit = digits.find(text[i]);
        if (digit == digits.npos) return fail(Kind::corrupt, "a table entry that is no number");
        bytes.at(i / 2) = bytes.at(i / 2) << 4 | std::byte(digit);
    }
    return load<volume::LayerEntry>(bytes);
}

}  // namespace sheaf::pool
