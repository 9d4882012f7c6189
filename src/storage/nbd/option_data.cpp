#include "storage/nbd/option_data.h"

#include "base/bytes.h"
#include "base/utf8.h"
#include "storage/nbd/protocol.h"

namespace sheaf::nbd {

namespace {

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

Result<std::string> take_string(ByteReader& reader) {
    const auto length = TRY(reader.take<BigEndian<std::uint32_t>>());
    return parse_name(TRY(reader.take(length)));
}

Failure not_parsed(const Error& error) {
    return fail(Kind::invalid, "the option's data: {}", error.text());
}

Result<InfoRequest> take_info(ByteReader& reader) {
    InfoRequest request;
    request.name = TRY_WITHIN(take_string(reader), "export name");
    const std::uint16_t count = TRY(reader.take<BigEndian<std::uint16_t>>());
    for (std::uint32_t number = 0; number < count; ++number) {
        const std::uint16_t wanted = TRY(reader.take<BigEndian<std::uint16_t>>());
        if (wanted == static_cast<std::uint16_t>(Info::name)) request.wants_name = true;
        if (wanted == static_cast<std::uint16_t>(Info::description))
            request.wants_description = true;
    }
    return request;
}

Result<ContextRequest> take_contexts(ByteReader& reader) {
    ContextRequest request;
    request.name = TRY_WITHIN(take_string(reader), "export name");
    const std::uint32_t count = TRY(reader.take<BigEndian<std::uint32_t>>());
    if (count > most_queries)
        return fail(Kind::exhausted, "{} queries, at most {} are looked at", count, most_queries);
    for (std::uint32_t number = 0; number < count; ++number)
        request.queries.push_back(TRY_WITHIN(take_string(reader), "query {}", number + 1));
    return request;
}

// `parsed`, where the data ended with it.
template <class Request>
Result<Request> whole(Result<Request> parsed, const ByteReader& reader) {
    if (!parsed && parsed.error().kind() == Kind::exhausted) return parsed;
    if (!parsed) return not_parsed(parsed.error());
    if (!reader.rest().empty())
        return fail(Kind::invalid, "the option's data: {} bytes too many", reader.rest().size());
    return parsed;
}

}  // namespace

Result<std::string> parse_name(std::span<const std::byte> bytes) {
    const auto text = as_text(bytes);
    if (text.size() > longest_string)
        return fail(Kind::invalid, "{} bytes are longer than {}", text.size(), longest_string);
    if (text.contains('\0')) return fail(Kind::invalid, "a NUL within a name");
    if (!is_utf8(text)) return fail(Kind::invalid, "a name that is not UTF-8");
    return std::string{text};
}

Result<InfoRequest> parse_info(std::span<const std::byte> data) {
    ByteReader reader{data};
    auto parsed = take_info(reader);
    return whole(std::move(parsed), reader);
}

Result<ContextRequest> parse_contexts(std::span<const std::byte> data) {
    ByteReader reader{data};
    auto parsed = take_contexts(reader);
    return whole(std::move(parsed), reader);
}

}  // namespace sheaf::nbd
