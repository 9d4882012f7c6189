#include "storage/pool/id.h"

#include <sys/random.h>

#include <cerrno>
#include <fstream>

namespace sheaf::pool {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

}  // namespace

Result<Id> make_id() {
    Id id{};
    if (::getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size()))
        return fail_os(errno, "making an id");
    return id;
}

Result<Id> boot_id() {
    std::ifstream file{"/proc/sys/kernel/random/boot_id"};
    std::string text;
    if (!std::getline(file, text)) return fail(Kind::unavailable, "the host has no boot id");
    std::erase(text, '-');
    return parse_id(text);
}

std::string to_text(const Id& id) {
    std::string text;
    for (const auto byte : id) {
        text += digits.at(byte >> 4);
        text += digits.at(byte & 15);
    }
    return text;
}

Result<Id> parse_id(std::string_view text) {
    Id id{};
    if (text.size() != 2 * id.size())
        return fail(Kind::invalid, "\"{}\" is no id of {} digits", text, 2 * id.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto digit = digits.find(text[i]);
        if (digit == digits.npos)
            return fail(Kind::invalid, "\"{}\" is no id: hexadecimal digits are needed", text);
        auto& byte = id.at(i / 2);
        byte = static_cast<std::uint8_t>(byte << 4 | digit);
    }
    return id;
}

}  // namespace sheaf::pool
