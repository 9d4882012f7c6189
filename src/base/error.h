#pragma once

// Why: every failure in Sheaf is one value with one of twelve kinds and a sentence for a person.
// The kind decides what a caller does next (and, later, the HTTP status); the sentence says what
// was being done and to what. Context is added outward with within().

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sheaf {

enum class Kind : std::uint8_t {
    invalid,      // the request itself is wrong
    not_found,    // what it names does not exist
    exists,       // what it would make is already there
    conflict,     // somebody else changed it, or holds it
    denied,       // no permission
    exhausted,    // a limit, or no room left
    unavailable,  // the host or a peer cannot do it now
    timed_out,
    cancelled,
    corrupt,      // stored or received data is damaged
    unsupported,  // understood, but not offered
    io,           // the operating system failed
};

// The kind's name as it is printed and sent, for example "not_found".
std::string_view to_string(Kind kind);
// The kind of that name; none where there is no such kind.
std::optional<Kind> parse_kind(std::string_view name);

class Error {
  public:
    Error(Kind kind, std::string text) : kind_(kind), text_(std::move(text)) {}
    Error(Kind kind, std::string text, int os_error)
        : kind_(kind), os_error_(os_error), text_(std::move(text)) {}

    // The error of a system call that failed with os_error (an errno value) while doing `what`.
    static Error from_os(int os_error, std::string_view what);

    Kind kind() const { return kind_; }
    int os_error() const { return os_error_; }  // errno, or 0 where no system call failed
    const std::string& text() const { return text_; }

    // The same error told from one level further out: "context: text".
    Error within(std::string_view context) &&;

  private:
    Kind kind_;
    int os_error_ = 0;
    std::string text_;
};

}  // namespace sheaf
