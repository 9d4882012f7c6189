#pragma once

// Why: a file descriptor has exactly one owner, and losing the owner closes it.

#include <cerrno>
#include <utility>

#include "base/result.h"

namespace sheaf {

class Fd {
  public:
    Fd() = default;
    explicit Fd(int number) : number_(number) {}
    Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        reset(std::exchange(other.number_, -1));
        return *this;
    }
    ~Fd() { reset(); }

    int get() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }

    // Gives the number away without closing it.
    [[nodiscard]] int release() { return std::exchange(number_, -1); }
    void reset(int number = -1);

    // A second descriptor of the same open file, close-on-exec.
    Result<Fd> duplicate() const;

  private:
    int number_ = -1;
};

// The owner of what a system call returned, or the failure it reported in errno:
// auto fd = TRY(checked_fd(::open(path, O_RDONLY), "opening {}", path));
template <class... Arguments>
Result<Fd> checked_fd(int number, fmt::format_string<Arguments...> format,
                      Arguments&&... arguments) {
    if (number < 0) return fail_os(errno, format, std::forward<Arguments>(arguments)...);
    return Fd{number};
}

// The plain number that a system call returned, or the failure it reported in errno.
template <class... Arguments>
Result<int> checked(int value, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    if (value < 0) return fail_os(errno, format, std::forward<Arguments>(arguments)...);
    return value;
}

}  // namespace sheaf
