#include "base/log.h"

#include <unistd.h>

#include <array>

#include <fmt/format.h>

namespace sheaf {

namespace {

constexpr std::array<std::string_view, 4> level_names = {"debug", "info", "warning", "error"};

// The text as one word: quoted where it holds blanks or what would end it, control characters
// escaped, so that no guest can write a line of its own.
void append_word(std::string& line, std::string_view text) {
    const bool plain = !text.empty() && text.find_first_of(" \"=\\") == text.npos;
    if (!plain) line += '"';
    for (const char letter : text) {
        const auto code = static_cast<unsigned char>(letter);
        if (code < 0x20 || code == 0x7f) {
            line += fmt::format("\\x{:02x}", code);
        } else {
            if (letter == '"' || letter == '\\') line += '\\';
            line += letter;
        }
    }
    if (!plain) line += '"';
}

}  // namespace

void Logger::write(LogLevel level, std::string_view message,
                   std::initializer_list<LogField> fields) const {
    if (level < least_) return;
    auto line =
        fmt::format("sheaf: level={} message=", level_names.at(static_cast<std::size_t>(level)));
    append_word(line, message);
    for (const auto& [key, value] : fields) {
        line += fmt::format(" {}=", key);
        append_word(line, value);
    }
    if (line.size() >= line_limit) line.replace(line_limit - 4, line.npos, "...");
    line += '\n';
    // A log that cannot be written has nobody to be told to.
    static_cast<void>(::write(descriptor_, line.data(), line.size()));
}

void Logger::debug(std::string_view message, std::initializer_list<LogField> fields) const {
    write(LogLevel::debug, message, fields);
}
void Logger::info(std::string_view message, std::initializer_list<LogField> fields) const {
    write(LogLevel::info, message, fields);
}
void Logger::warning(std::string_view message, std::initializer_list<LogField> fields) const {
    write(LogLevel::warning, message, fields);
}
void Logger::error(std::string_view message, std::initializer_list<LogField> fields) const {
    write(LogLevel::error, message, fields);
}

}  // namespace sheaf
