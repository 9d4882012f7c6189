// What a client may send over a WebSocket: whatever it is and however it is cut, it becomes the
// same messages, bounded, or the same end.

#include "base/bytes.h"
#include "http/websocket_frames.h"
#include "message.h"

namespace sheaf::http {
namespace {

struct Outcome {
    std::string events;
    std::optional<CloseCode> failed;
    bool operator==(const Outcome&) const = default;
};

Outcome read(std::span<const std::byte> bytes, std::size_t step) {
    WebSocketParser parser;
    Outcome outcome;
    while (true) {
        const auto event = parser.next();
        if (!event) {
            outcome.failed = event.error();
            return outcome;
        }
        if (*event) {
            test::require((*event)->payload.size() <= WebSocketParser::longest_message);
            outcome.events += static_cast<char>('0' + std::to_underlying((*event)->type));
            outcome.events += (*event)->payload + "\n";
            continue;
        }
        if (bytes.empty()) return outcome;
        const auto part = bytes.first(std::min(step, bytes.size()));
        parser.add(part);
        bytes = bytes.subspan(part.size());
    }
}

}  // namespace
}  // namespace sheaf::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span{data, size});
    const auto whole = sheaf::http::read(bytes, size + 1);
    sheaf::test::require(sheaf::http::read(bytes, 1) == whole);
    sheaf::test::require(sheaf::http::read(bytes, 7) == whole);
    static_cast<void>(sheaf::http::accept_key(sheaf::as_text(bytes)));
    return 0;
}
