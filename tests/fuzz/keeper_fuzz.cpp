// The lines of a keeper's socket, as both ends read them. What is understood as a request has a
// version that is spoken; what is told of what is not understood is one line for a terminal. A
// status that is read is the same when it is written and read again.

#include <string_view>

#include "base/bytes.h"
#include "message.h"
#include "node/keeper_protocol.h"

namespace sheaf::node {
namespace {

using test::check_message;
using test::require;

void read_as_request(std::string_view line) {
    const auto request = keeper::parse_request(line);
    if (!request) return check_message(request.error());
    require(request->find("version")->integer() == keeper::version);
    const auto told = keeper::error_line(Error{Kind::invalid, "no"});
    require(told.find('\n') == told.npos);
}

void read_as_answer(std::string_view line) {
    const auto answer = keeper::parse_answer(line);
    if (!answer) return;
    const auto status = keeper::parse_status(*answer);
    if (!status) return check_message(status.error());
    require(keeper::parse_status(keeper::to_json(*status)).value() == *status);
}

}  // namespace
}  // namespace sheaf::node

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto line = sheaf::as_text(std::as_bytes(std::span{data, size}));
    sheaf::node::read_as_request(line);
    sheaf::node::read_as_answer(line);
    return 0;
}
