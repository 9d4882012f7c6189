#include "node/keeper_protocol.h"

#include <limits>

#include "base/json.h"
#include "base/json_path.h"

namespace sheaf::node::keeper {

namespace {

int number_at(const Json& object, std::string_view name) {
    const auto* member = object.find(name);
    const auto number = member ? member->integer() : std::nullopt;
    return number && *number >= 0 && *number <= std::numeric_limits<int>::max()
               ? static_cast<int>(*number)
               : 0;
}

}  // namespace

Result<Json> parse_request(std::string_view line) {
    auto request = TRY_WITHIN(Json::parse(line), "request");
    if (!request.object()) return fail(Kind::invalid, "a request is a JSON object");
    const auto spoken = number_at(request, "version");
    if (spoken < oldest_version || spoken > version)
        return fail(Kind::unsupported, "version {} is not spoken here, {} to {} are", spoken,
                    oldest_version, version);
    return request;
}

std::string error_line(const Error& error) {
    auto told = Json::object({{"kind", to_string(error.kind())}, {"detail", error.text()}});
    return Json::object({{"error", std::move(told)}}).text();
}

Json to_json(const KeeperStatus& status) {
    // What has just been written is a document.
    return Json::parse(encode(status)).value();
}

Result<KeeperStatus> parse_status(const Json& status) {
    auto parsed = KeeperStatus{};
    const auto state = status.text_at({"state"});
    if (!boost::describe::enum_from_string(std::string{state}.c_str(), parsed.state))
        return fail(Kind::unsupported, "the keeper is in a state {}, which is not known here",
                    json::in_quotes(state));
    const auto* stopping = status.find("stopping");
    parsed.stopping = stopping && stopping->boolean() && *stopping->boolean();
    parsed.keeper = number_at(status, "keeper");
    parsed.vmm = number_at(status, "vmm");
    parsed.reboots = static_cast<unsigned>(number_at(status, "reboots"));
    parsed.started_at = status.text_at({"started_at"});
    return parsed;
}

Result<Json> parse_answer(std::string_view line) {
    auto answer = TRY_WITHIN(Json::parse(line), "the keeper's answer");
    if (const auto* error = answer.find("error"))
        return Failure{Error{parse_kind(error->text_at({"kind"})).value_or(Kind::io),
                             std::string{error->text_at({"detail"})}}};
    auto* result = answer.find("result");
    if (!result) return fail(Kind::invalid, "the keeper's answer is none");
    return std::move(*result);
}

}  // namespace sheaf::node::keeper
