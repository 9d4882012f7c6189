// Any bytes as JSON: parse_json() and decode() refuse them with a sentence or give a value; what
// was decoded encodes to text that decodes to the same value. Any bytes as a string encode to JSON.

#include "base/bytes.h"
#include "base/json.h"
#include "base/utf8.h"
#include "message.h"

namespace sheaf {
namespace {

using test::check_message;
using test::require;

enum class Mode { none, writeback, direct };
BOOST_DESCRIBE_ENUM(Mode, none, writeback, direct)

struct Leaf {
    std::string name;
    Mode mode = Mode::none;
    std::optional<std::int8_t> level{};
    bool operator==(const Leaf&) const = default;
};
BOOST_DESCRIBE_STRUCT(Leaf, (), (name, mode, level))

struct Root {
    bool flag = false;
    std::uint64_t large = 0;
    std::int64_t low = 0;
    std::uint16_t port = 0;
    double real = 0;
    Leaf leaf;
    std::vector<Leaf> leaves;
    std::map<std::string, std::vector<double>> series;
    std::optional<std::map<std::string, Leaf>> named{};
    bool operator==(const Root&) const = default;
};
BOOST_DESCRIBE_STRUCT(Root, (), (flag, large, low, port, real, leaf, leaves, series, named))

void check_document(std::string_view text) {
    const auto root = decode<Root>(text);
    if (!root) return check_message(root.error());
    const auto again = decode<Root>(encode(*root));
    require(again.has_value() && *again == *root);
}

void check_string(std::string_view text) {
    const auto again = decode<std::string>(encode(std::string{text}));
    require(again.has_value());
    auto rest = text;
    while (const auto length = utf8_length(rest)) rest.remove_prefix(length);
    require((*again == text) == rest.empty());
}

}  // namespace
}  // namespace sheaf

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = sheaf::as_text(std::as_bytes(std::span{data, size}));
    sheaf::check_document(text);
    sheaf::check_string(text);
    return 0;
}
