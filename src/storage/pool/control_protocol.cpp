#include "storage/pool/control_protocol.h"

#include "base/bytes.h"
#include "base/hex.h"

namespace sheaf::pool {

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
