#include "storage/pool/control_protocol.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/utf8.h"
#include "storage/pool/name.h"

namespace sheaf::pool {

namespace {

// The names of snapshots become those of exports and of rows.
Result<void> check_result(const VolumeStatus& result) {
    for (const auto& snapshot : result.snapshots) TRY(check_name("snapshot", snapshot.name));
    return {};
}

void make_showable(std::string& text) {
    text = showable(text);
}

}  // namespace

Result<void> check_hello(std::string_view line) {
    const auto hello = decode<ControlHello>(line);
    if (!hello || hello->hello != ControlHello{}.hello)
        return fail(Kind::corrupt, "the process that has it open does not greet");
    if (hello->version != control_version)
        return fail(Kind::unsupported,
                    "the process that has it open speaks version {}, this program {}",
                    hello->version, control_version);
    return {};
}

Result<ControlReply> parse_reply(std::string_view line) {
    auto reply = decode<ControlReply>(line);
    if (!reply) return fail(Kind::corrupt, "an answer that is none: {}", reply.error().text());
    if (reply->progress.has_value() + reply->result.has_value() + reply->error.has_value() != 1)
        return fail(Kind::corrupt, "an answer that is none, or several");
    if (reply->error && reply->error->detail.empty())
        return fail(Kind::corrupt, "an error without a reason");
    if (reply->error) make_showable(reply->error->detail);
    if (!reply->result) return reply;
    if (const auto sound = check_result(*reply->result); !sound)
        return fail(Kind::corrupt, "an answer that is none: {}", sound.error().text());
    if (auto& checked = reply->result->checked) {
        std::ranges::for_each(checked->found, make_showable);
        std::ranges::for_each(checked->damaged, make_showable);
    }
    return reply;
}

std::string to_text(const volume::LayerEntry& entry) {
    return to_hex(bytes_of(entry));
}

Result<volume::LayerEntry> parse_layer_entry(std::string_view text) {
    if (text.size() != 2 * sizeof(volume::LayerEntry))
        return fail(Kind::corrupt, "a table entry of {} digits", text.size());
    if (text.find_first_not_of(hex_digits) != text.npos)
        return fail(Kind::corrupt, "a table entry that is no number");
    return load<volume::LayerEntry>(TRY(from_hex(text)));
}

}  // namespace sheaf::pool
