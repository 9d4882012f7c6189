#include "base/log.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include <fmt/core.h>

#include "base/utf8.h"

namespace sheaf {

namespace {

constexpr std::array<std::string_view, 4> level_names = {"debug", "info", "warning", "error"};

// A line that takes pieces whole until one does not fit, and nothing after that.
class Line {
  public:
    Line() { text_.reserve(Logger::line_limit); }

    void append(std::string_view piece) {
        full_ = full_ || text_.size() + piece.size() > Logger::line_limit - ending.size();
        if (!full_) text_ += piece;
    }
    bool full() const { return full_; }

    std::string_view finish() {
        text_ += full_ ? ending : ending.substr(ending.size() - 1);
        return text_;
    }

  private:
    static constexpr std::string_view ending = "...\n";
    std::string text_;
    bool full_ = false;
};

// One character, as it may be shown. Control characters (those of C1 too, which terminals obey)
// and bytes that are no text are escaped, so that no guest can write a line of its own.
void append_character(Line& line, std::string_view character, bool is_text) {
    const auto code = static_cast<unsigned char>(character.front());
    const bool control = code < 0x20 || code == 0x7f;
    const bool c1 =
        character.size() == 2 && code == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
    if (!is_text || control) {
        line.append(fmt::format("\\x{:02x}", code));
    } else if (c1) {
        line.append(fmt::format("\\u{:04x}", static_cast<unsigned char>(character[1])));
    } else if (character == "\"" || character == "\\") {
        line.append(character == "\"" ? "\\\"" : "\\\\");
    } else {
        line.append(character);
    }
}

// The text as one word: quoted where it is empty or holds what would end or imitate a word.
void append_word(Line& line, std::string_view text) {
    const bool plain = !text.empty() && text.find_first_of(" \"=\\") == text.npos;
    if (!plain) line.append("\"");
    while (!text.empty() && !line.full()) {
        const auto length = utf8_length(text);
        const auto character = text.substr(0, length > 0 ? length : 1);
        append_character(line, character, length > 0);
        text.remove_prefix(character.size());
    }
    if (!plain) line.append("\"");
}

}  // namespace

void Logger::write(LogLevel level, std::string_view message,
                   std::initializer_list<LogField> fields) const {
    if (level < least_) return;
    auto line = Line{};
    line.append("sheaf: level=");
    line.append(level_names.at(static_cast<std::size_t>(level)));
    line.append(" message=");
    append_word(line, message);
    for (const auto& [key, value] : fields) {
        line.append(" ");
        line.append(key);
        line.append("=");
        append_word(line, value);
    }
    const auto text = line.finish();
    // Only a signal (a vCPU being kicked) asks for a second try: nothing was written then. A log
    // that cannot be written has nobody to be told to.
    while (::write(descriptor_, text.data(), text.size()) < 0 && errno == EINTR) {
    }
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
