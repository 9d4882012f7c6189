#include "storage/pool/id.h"

#include <sys/random.h>

#include <cerrno>

#include "base/boot_id.h"
#include "base/bytes.h"
#include "base/hex.h"
#include "base/json_path.h"

namespace sheaf::pool {

Result<Id> make_id() {
    Id id{};
    if (::getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size()))
        return fail_os(errno, "making an id");
    return id;
}

Result<Id> boot_id() {
    auto text = TRY(sheaf::boot_id());
    std::erase(text, '-');
    return parse_id(text);
}

std::string to_text(const Id& id) {
    return to_hex(std::as_bytes(std::span{id}));
}

Result<Id> parse_id(std::string_view text) {
    if (text.size() != 2 * std::tuple_size_v<Id>)
        return fail(Kind::invalid, "{} is no id of {} digits", json::in_quotes(text),
                    2 * std::tuple_size_v<Id>);
    if (text.find_first_not_of(hex_digits) != text.npos)
        return fail(Kind::invalid, "{} is no id: hexadecimal digits are needed",
                    json::in_quotes(text));
    return load<Id>(TRY(from_hex(text)));
}

}  // namespace sheaf::pool
