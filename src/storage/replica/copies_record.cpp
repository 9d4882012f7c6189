#include "storage/replica/copies_record.h"

#include <algorithm>

#include "base/json.h"
#include "storage/replica/address.h"
#include "storage/replica/membership.h"
#include "storage/replica/messages.h"

namespace sheaf::replica {

namespace {

Result<void> check(const CopiesRecord& record) {
    if (record.version != 1)
        return fail(Kind::unsupported, "/version: {} is not known here", record.version);
    TRY(parse_id(record.id));
    if (record.size == 0 || record.size % unit != 0 || record.size > volume::most_bytes)
        return fail(Kind::corrupt, "/size: {} bytes", record.size);
    if (record.copies.empty() || record.copies.size() > most_members)
        return fail(Kind::corrupt, "/copies: {} of them", record.copies.size());
    for (const auto& copy : record.copies) {
        if (!check_node_name(copy.node) || record.find(copy.node) != &copy)
            return fail(Kind::corrupt, "/copies: a node without a name of its own");
        if (!parse_address(copy.address))
            return fail(Kind::corrupt, "/copies: no address of {}", copy.node);
    }
    return {};
}

}  // namespace

const CopyPlace* CopiesRecord::find(std::string_view node) const {
    const auto found = std::ranges::find(copies, node, &CopyPlace::node);
    return found == copies.end() ? nullptr : &*found;
}

std::string copies_key(std::string_view volume) {
    return fmt::format("volumes/{}/copies", volume);
}

Result<CopiesRecord> parse_copies(std::string_view text) {
    auto record = sheaf::decode<CopiesRecord>(text);
    if (!record) return fail(Kind::corrupt, "a record of copies: {}", record.error().text());
    TRY_WITHIN(check(*record), "a record of copies");
    return record;
}

std::string encode_copies(const CopiesRecord& record) {
    return sheaf::encode(record);
}

}  // namespace sheaf::replica
