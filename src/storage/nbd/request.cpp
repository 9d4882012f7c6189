#include "storage/nbd/request.h"

#include <cerrno>

#include "base/result.h"
#include "storage/nbd/block_status.h"

namespace sheaf::nbd {

namespace {

// What a command may be, by the specification.
struct Rules {
    std::uint16_t flags = 0;    // of the request, beside FUA
    std::uint16_t offered = 0;  // the transmission flag that it needs
    bool changes = false;
    bool has_range = true;
    WireError beyond_end = WireError::invalid;
};

std::optional<Rules> rules_of(Command command) {
    switch (command) {
        case Command::read: return Rules{.flags = command_df};
        case Command::write: return Rules{.changes = true, .beyond_end = WireError::no_space};
        case Command::flush: return Rules{.offered = transmit_flush, .has_range = false};
        case Command::trim: return Rules{.offered = transmit_trim, .changes = true};
        case Command::write_zeroes:
            return Rules{.flags = command_no_hole | command_fast_zero,
                         .offered = transmit_write_zeroes,
                         .changes = true,
                         .beyond_end = WireError::no_space};
        case Command::block_status: return Rules{.flags = command_req_one};
        case Command::disconnect: break;
    }
    return std::nullopt;
}

template <class... Arguments>
Refusal refuse(WireError error, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    return {error, fmt::format(format, std::forward<Arguments>(arguments)...)};
}

std::optional<Refusal> check_range(const Request& request, const Offer& offer, const Rules& rules) {
    const auto [offset, length] = std::pair{request.offset, request.length};
    const auto unit = offer.geometry.block_size;
    if (length == 0) return refuse(WireError::invalid, "a length of 0");
    if ((offset | length) % unit != 0)
        return refuse(WireError::invalid, "{} bytes at {} are no multiples of {}", length, offset,
                      unit);
    const auto end = checked_add(offset, std::uint64_t{length});
    if (!end || *end > offer.geometry.size)
        return refuse(rules.beyond_end, "{} bytes at {} reach beyond the end at {}", length, offset,
                      offer.geometry.size);
    return std::nullopt;
}

std::optional<Refusal> check_payload(const Request& request, const Offer& offer) {
    const auto carries = request.command == Command::read || request.command == Command::write;
    if (!carries || request.length <= most_payload) return std::nullopt;
    const auto overflows = request.command == Command::read && (offer.flags & transmit_df) != 0;
    return refuse(overflows ? WireError::overflow : WireError::invalid,
                  "{} bytes in one request, at most {}", request.length, most_payload);
}

}  // namespace

Request parse_request(const RequestHeader& header) {
    return {.command = static_cast<Command>(std::uint16_t{header.command}),
            .flags = header.flags,
            .cookie = header.cookie,
            .offset = header.offset,
            .length = header.length};
}

std::uint32_t payload_of(const Request& request) {
    return request.command == Command::write ? request.length : 0;
}

std::size_t cost_of(const Request& request, const Offer& offer) {
    switch (request.command) {
        case Command::read:
        case Command::write: return request.length;
        case Command::block_status: return offer.contexts * most_extents * bytes_per_extent;
        default: return 0;
    }
}

std::optional<Refusal> check(const Request& request, const Offer& offer) {
    const auto rules = rules_of(request.command);
    if (!rules)
        return refuse(WireError::invalid, "command {} is not known",
                      static_cast<unsigned>(request.command));
    if (const auto unknown = request.flags & ~unsigned{rules->flags} & ~unsigned{command_fua})
        return refuse(WireError::invalid, "flags {:#x} mean nothing here", unknown);
    if (request.has(command_df) && (offer.flags & transmit_df) == 0)
        return refuse(WireError::invalid, "flag DF needs structured replies");
    if (rules->changes && offer.geometry.read_only)
        return refuse(WireError::permission, "the export is read-only");
    if ((offer.flags & rules->offered) != rules->offered)
        return refuse(WireError::invalid, "the export does not offer this");
    if (request.command == Command::block_status && offer.contexts == 0)
        return refuse(WireError::invalid, "no context was selected");
    if (!rules->has_range) {
        if (request.offset == 0 && request.length == 0) return std::nullopt;
        return refuse(WireError::invalid, "a flush has no range");
    }
    if (auto refusal = check_payload(request, offer)) return refusal;
    return check_range(request, offer, *rules);
}

Refusal refusal_of(const Error& error) {
    const auto wire = [&] {
        switch (error.os_error()) {
            case ENOSPC:
            case EDQUOT:
            case EFBIG: return WireError::no_space;
            case ENOMEM: return WireError::memory;
            default: break;
        }
        switch (error.kind()) {
            case Kind::invalid:
            case Kind::unsupported: return WireError::invalid;
            case Kind::denied: return WireError::permission;
            case Kind::exhausted: return WireError::no_space;
            case Kind::cancelled: return WireError::shutdown;
            default: return WireError::io;
        }
    }();
    return {wire, error.text()};
}

}  // namespace sheaf::nbd
