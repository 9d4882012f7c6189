#pragma once

// Why: what can fail returns Result<T>; TRY passes a failure on from plain functions (in coroutines
// co_await does the same, see io/task.h). No exception crosses a module border.

#include <expected>
#include <type_traits>
#include <utility>

#include <fmt/core.h>

#include "base/error.h"

namespace sheaf {

template <class T>
using Result = std::expected<T, Error>;

using Failure = std::unexpected<Error>;

// return fail(Kind::invalid, "disk {}: not a file", path);
template <class... Arguments>
[[nodiscard]] Failure fail(Kind kind, fmt::format_string<Arguments...> format,
                           Arguments&&... arguments) {
    return Failure{Error{kind, fmt::format(format, std::forward<Arguments>(arguments)...)}};
}

// The failure of the system call that just set os_error.
template <class... Arguments>
[[nodiscard]] Failure fail_os(int os_error, fmt::format_string<Arguments...> format,
                              Arguments&&... arguments) {
    return Failure{
        Error::from_os(os_error, fmt::format(format, std::forward<Arguments>(arguments)...))};
}

namespace detail {
template <class T>
T unwrap(Result<T>&& result) {
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}
}  // namespace detail

}  // namespace sheaf

// Each use has a variable of its own name, so that one TRY may stand inside another.
#define SHEAF_JOIN_(left, right) left##right
#define SHEAF_JOIN(left, right) SHEAF_JOIN_(left, right)

#define SHEAF_TRY(variable, expression, ...)                                             \
    __extension__({                                                                      \
        auto variable = (expression);                                                    \
        if (!variable) return ::sheaf::Failure{std::move(variable).error() __VA_ARGS__}; \
        ::sheaf::detail::unwrap(std::move(variable));                                    \
    })

// auto fd = TRY(open_disk(path));  ends the enclosing plain function with the error if there is
// one.
#define TRY(expression) SHEAF_TRY(SHEAF_JOIN(try_result_, __COUNTER__), expression)

// TRY that also says what was being attempted: TRY_WITHIN(load(path), "kernel {}", path).
#define TRY_WITHIN(expression, ...) \
    SHEAF_TRY(SHEAF_JOIN(try_result_, __COUNTER__), expression, .within(::fmt::format(__VA_ARGS__)))
