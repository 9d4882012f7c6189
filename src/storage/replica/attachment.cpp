#include "storage/replica/attachment.h"

#include "base/json.h"
#include "base/utf8.h"
#include "storage/replica/messages.h"

namespace sheaf::replica {

std::string attachment_key(std::string_view volume) {
    return fmt::format("volumes/{}/attachment", volume);
}

// What it tells is shown to people: a node's name is one, and a sentence is fit for a terminal.
Result<Attachment> parse_attachment(std::string_view text) {
    auto attachment = sheaf::decode<Attachment>(text);
    if (!attachment)
        return fail(Kind::corrupt, "a record of an attachment: {}", attachment.error().text());
    if (attachment->version != 1)
        return fail(Kind::unsupported, "a record of an attachment: /version: {} is not known here",
                    attachment->version);
    auto sound = check_node_name(attachment->node).has_value();
    for (auto& copy : attachment->copies) {
        sound = sound && check_node_name(copy.node);
        copy.error = showable(copy.error);
    }
    if (!sound) return fail(Kind::corrupt, "a record of an attachment: a node without a name");
    return attachment;
}

std::string encode_attachment(const Attachment& attachment) {
    return sheaf::encode(attachment);
}

}  // namespace sheaf::replica
