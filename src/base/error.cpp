#include "base/error.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace sheaf {

namespace {

constexpr std::array<std::string_view, 12> kind_names = {
    "invalid",     "not_found", "exists",    "conflict", "denied",      "exhausted",
    "unavailable", "timed_out", "cancelled", "corrupt",  "unsupported", "io",
};

Kind kind_of(int os_error) {
    switch (os_error) {
        case ENOENT:
        case ENODEV:
        case ENXIO: return Kind::not_found;
        case EEXIST: return Kind::exists;
        case EBUSY:
        case ETXTBSY:
        case EADDRINUSE: return Kind::conflict;
        case EACCES:
        case EPERM:
        case EROFS: return Kind::denied;
        case ENOMEM:
        case ENOSPC:
        case EMFILE:
        case ENFILE:
        case EDQUOT:
        case ENOBUFS: return Kind::exhausted;
        case EINVAL:
        case EISDIR:
        case ENOTDIR:
        case ENAMETOOLONG: return Kind::invalid;
        case ETIMEDOUT:
        case ETIME: return Kind::timed_out;
        case ECANCELED: return Kind::cancelled;
        case ENOSYS:
        case EOPNOTSUPP:
        case ENOTTY: return Kind::unsupported;
        case EAGAIN:
        case ECONNREFUSED:
        case ECONNRESET:
        case EPIPE: return Kind::unavailable;
        default: return Kind::io;
    }
}

}  // namespace

std::string_view to_string(Kind kind) {
    return kind_names.at(static_cast<std::size_t>(kind));
}

std::optional<Kind> parse_kind(std::string_view name) {
    const auto* found = std::ranges::find(kind_names, name);
    if (found == kind_names.end()) return std::nullopt;
    return static_cast<Kind>(found - kind_names.begin());
}

Error Error::from_os(int os_error, std::string_view what) {
    auto text = std::string{what};
    text += ": ";
    text += ::strerrordesc_np(os_error) ? ::strerrordesc_np(os_error) : "unknown error";
    return Error{kind_of(os_error), std::move(text), os_error};
}

Error Error::within(std::string_view context) && {
    text_.insert(0, ": ").insert(0, context);
    return std::move(*this);
}

}  // namespace sheaf
