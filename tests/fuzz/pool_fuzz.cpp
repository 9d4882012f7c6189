// Any bytes as what a pool keeps in text: the files that say what a pool and a volume are, the text
// of a lock, the names of files. Each is refused with a sentence, or gives a value that is written
// as something that is read as the same value.

#include "base/bytes.h"
#include "base/json.h"
#include "message.h"
#include "storage/pool/about.h"
#include "storage/pool/layers.h"
#include "storage/pool/lock.h"
#include "storage/pool/name.h"

namespace sheaf::pool {
namespace {

using test::check_message;
using test::require;

template <class T>
void check_document(std::string_view text, Result<T> (*parse)(std::string_view)) {
    const auto about = parse(text);
    if (!about) {
        require(about.error().kind() == Kind::corrupt || about.error().kind() == Kind::unsupported);
        return check_message(about.error());
    }
    const auto written = encode(*about);
    const auto again = parse(written);
    require(again.has_value() && encode(*again) == written);
}

void check_lock(std::string_view text) {
    const auto holder = parse_holder(text);
    check_message(holder.text());
    require(holder.pid >= 0 && (holder.pid > 0 || holder == Holder{}));
}

void check_names(std::string_view text) {
    const auto id = parse_id(text);
    if (!id) check_message(id.error());
    require(!id || to_text(*id) == text);
    for (const auto prefix : {new_prefix, gone_prefix}) {
        const auto behind = id_behind(prefix, text);
        require(!behind || std::string{prefix} + to_text(*behind) == text);
    }
    // A name is never that of anything half-made, nor another directory's.
    const auto sound = check_name("volume", text);
    if (!sound) return check_message(sound.error());
    require(text.size() <= longest_name && !text.starts_with('.') && !text.contains('/'));
}

}  // namespace
}  // namespace sheaf::pool

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace pool = sheaf::pool;
    const auto text = sheaf::as_text(std::as_bytes(std::span{data, size}));
    pool::check_document(text, pool::parse_pool_about);
    pool::check_document(text, pool::parse_volume_about);
    pool::check_lock(text);
    pool::check_names(text);
    return 0;
}
