// JSON from clients and processes: whatever parses is decoded and encoded again, and what was
// decoded once decodes to the same text.

#include <cstdlib>

#include "base/bytes.h"
#include "base/json.h"

namespace sheaf {
namespace {

BOOST_DEFINE_ENUM_CLASS(Colour, red, green)
struct Inner {
    std::optional<std::uint16_t> port;
    Colour colour = Colour::red;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (port, colour))
struct Outer {
    std::string name;
    std::int64_t count = 0;
    double share = 0;
    bool on = false;
    std::vector<Inner> inner;
    std::map<std::string, std::string> labels;
};
BOOST_DESCRIBE_STRUCT(Outer, (), (name, count, share, on, inner, labels))

void run(std::string_view text) {
    const auto decoded = decode<Outer>(text);
    if (!decoded) return;
    const auto once = encode(*decoded);
    const auto again = decode<Outer>(once);
    if (!again || encode(*again) != once) std::abort();
}

}  // namespace
}  // namespace sheaf

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    sheaf::run(sheaf::as_text(std::as_bytes(std::span{data, size})));
    return 0;
}
