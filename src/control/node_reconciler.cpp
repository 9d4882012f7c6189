#include "control/node_reconciler.h"

#include "api/kinds.h"
#include "api/quantity.h"

namespace sheaf::control {

namespace {

Json amounts(const HostFacts& facts) {
    return Json::object({{"cpu", fmt::format("{}", facts.processors)},
                         {"memory", api::quantity_text(facts.memory)},
                         {"storage", api::quantity_text(facts.space)}});
}

Json info(const HostFacts& facts) {
    return Json::object({{"kernelVersion", facts.kernel},
                         {"osImage", facts.system},
                         {"architecture", facts.architecture},
                         {"operatingSystem", "linux"},
                         {"bootID", facts.boot},
                         {"machineID", facts.machine},
                         {"sheafVersion", SHEAF_VERSION}});
}

// Once there is pressure it takes more than a little to end it, or it would come and go.
bool is_short(const Json& object, std::string_view type, std::uint64_t left, std::uint64_t whole) {
    const auto percent =
        NodeReconciler::pressure_percent * (is_condition(object, type, yes) ? 2 : 1);
    return whole > 0 && left < whole / 100 * percent;
}

Condition pressure(const Json& object, std::string_view type, std::string_view noun,
                   std::uint64_t left, std::uint64_t whole) {
    if (!is_short(object, type, left, whole))
        return {type, no, "Sufficient", fmt::format("there is enough {}", noun)};
    return {type, yes, "Short",
            fmt::format("less than {} % of the host's {} is left",
                        2 * NodeReconciler::pressure_percent, noun)};
}

}  // namespace

const api::Kind& NodeReconciler::kind() const {
    return api::node_kind;
}

std::vector<ObjectKey> NodeReconciler::always() const {
    std::vector<ObjectKey> keys;
    keys.push_back({{}, name_});
    return keys;
}

// Other nodes look after themselves.
io::Task<LookAgain> NodeReconciler::reconcile(ObjectKey key, std::optional<Json> object) {
    if (key.name != name_) co_return std::nullopt;
    if (!object) {
        auto metadata = Json::object({{"name", name_}});
        auto spec = Json::object({});
        auto node = Json::object({{"metadata", std::move(metadata)}, {"spec", std::move(spec)}});
        object = co_await client_.create(kind(), std::move(node));
        told_.reset();
    }
    co_await tell(*std::move(object));
    co_return between_looks;
}

io::Task<void> NodeReconciler::tell(Json object) {
    const auto facts = look_();
    auto status = status_of(object);
    status["version"] = SHEAF_VERSION;
    status["nodeInfo"] = info(facts);
    status["capacity"] = amounts(facts);
    status["allocatable"] = amounts(facts);
    set_condition(
        status, object,
        pressure(object, "MemoryPressure", "memory", facts.available_memory, facts.memory),
        client_.time());
    set_condition(
        status, object,
        pressure(object, "DiskPressure", "space for volumes", facts.free_space, facts.space),
        client_.time());
    const auto now = loop_.now();
    if (!told_ || now - *told_ >= between_heartbeats) {
        status["lastHeartbeatTime"] = client_.time();
        told_ = now;
    }
    Outcome outcome{"Ready", yes, "Ready", "machines can run"};
    if (!facts.kvm)
        outcome = {"NotReady", no, "NoKvm", "/dev/kvm cannot be opened: sheaf doctor says why"};
    co_await tell_outcome(client_, events_, kind(), object, std::move(status), std::move(outcome));
}

}  // namespace sheaf::control
