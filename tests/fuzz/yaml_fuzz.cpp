// Any bytes as YAML: read_documents() refuses them with a sentence or gives values, each of which
// is the same when it is written and read again.

#include "base/bytes.h"
#include "cli/yaml_read.h"
#include "cli/yaml_write.h"
#include "message.h"

namespace sheaf::cli {
namespace {

// libyaml takes a name of at most 1024 bytes before its colon; names of objects are shorter.
bool has_long_name(const Json& value) {
    if (const auto* members = value.object())
        for (const auto& [name, member] : *members)
            if (name.size() > 150 || has_long_name(member)) return true;
    if (const auto* elements = value.array())
        for (const auto& element : *elements)
            if (has_long_name(element)) return true;
    return false;
}

void check(std::string_view text) {
    const auto documents = read_documents(text);
    if (!documents) return test::check_message(documents.error());
    for (const auto& document : *documents) {
        if (has_long_name(document)) continue;
        const auto again = read_documents(to_yaml(document));
        test::require(again && again->size() == 1 && again->front() == document);
    }
}

}  // namespace
}  // namespace sheaf::cli

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sheaf::cli::check(sheaf::as_text(std::as_bytes(std::span{data, size})));
    return 0;
}
