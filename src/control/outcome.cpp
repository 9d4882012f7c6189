#include "control/outcome.h"

namespace sheaf::control {

Outcome outcome_of(const Error& error) {
    switch (error.kind()) {
        case Kind::invalid: return {"Failed", no, "Invalid", error.text()};
        case Kind::unsupported: return {"Failed", no, "NotSupported", error.text()};
        case Kind::corrupt: return {"Failed", no, "Damaged", error.text()};
        case Kind::exhausted: return {"Pending", no, "NoRoom", error.text()};
        case Kind::conflict: return {"Pending", no, "InUse", error.text()};
        case Kind::denied: return {"Pending", no, "NotPermitted", error.text()};
        default: return {"Pending", no, "Failing", error.text()};
    }
}

io::Task<void> tell_terminating(ObjectClient& client, EventRecorder& events, const api::Kind& kind,
                                Json& object, Outcome outcome) {
    outcome.phase = "Terminating";
    auto status = status_of(object);
    co_await tell_outcome(client, events, kind, object, std::move(status), std::move(outcome));
}

Json status_of(const Json& object) {
    const auto* status = object.find("status");
    return status && status->object() ? *status : Json::object({});
}

io::Task<void> tell_outcome(ObjectClient& client, EventRecorder& events, const api::Kind& kind,
                            Json& object, Json status, Outcome outcome) {
    const auto* before = find_condition(status, "Ready");
    const bool same = before && before->text_at({"reason"}) == outcome.reason &&
                      before->text_at({"message"}) == outcome.message;
    status["phase"] = outcome.phase;
    Condition condition{"Ready", outcome.ready, outcome.reason, outcome.message};
    set_condition(status, object, condition, client.time());
    co_await client.set_status(kind, object, std::move(status));
    if (same) co_return;
    const auto type = outcome.phase == "Failed" || outcome.reason == "NoRoom" ? warning : normal;
    Event event{type, outcome.reason, std::move(outcome.message)};
    co_await events.record(kind, object, std::move(event));
}

}  // namespace sheaf::control
