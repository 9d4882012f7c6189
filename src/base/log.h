#pragma once

// Why: what an operator should know, as one line of key=value pairs. The logger is passed to
// whoever speaks; there is no global one.

#include <initializer_list>
#include <string>
#include <string_view>

namespace sheaf {

enum class LogLevel { debug, info, warning, error };

struct LogField {
    std::string_view key;  // a literal of the program, written as it is
    std::string value;     // anything, also what a guest or peer gave
};

// Any thread. A line is one write(2), so lines of several threads and processes do not mix.
class Logger {
  public:
    // Writes to `descriptor`, which outlives the logger; lines below `least` are dropped.
    Logger(int descriptor, LogLevel least) : descriptor_(descriptor), least_(least) {}

    void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const;
    void info(std::string_view message, std::initializer_list<LogField> fields = {}) const;
    void warning(std::string_view message, std::initializer_list<LogField> fields = {}) const;
    void error(std::string_view message, std::initializer_list<LogField> fields = {}) const;

    // Bytes of a line with its end; a longer one is cut and ends with "...". Control characters
    // and bytes that are not UTF-8 are escaped.
    static constexpr std::size_t line_limit = 2048;

  private:
    void write(LogLevel level, std::string_view message,
               std::initializer_list<LogField> fields) const;

    int descriptor_;
    LogLevel least_;
};

}  // namespace sheaf
