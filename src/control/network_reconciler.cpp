#include "control/network_reconciler.h"

#include "api/kinds.h"

namespace sheaf::control {

namespace {

constexpr auto made_key = "control/default-network";

bool is_made_by_sheaf(const Json& object) {
    const auto* create = object.at({"spec", "bridge", "create"});
    return create && create->boolean() && *create->boolean();
}

std::string bridge_of(const Json& object) {
    return std::string{object.text_at({"spec", "bridge", "name"})};
}

// Another daemon of this host, with another store, may have one.
io::Task<std::string> free_bridge(LinkService& links) {
    constexpr int most = 100;
    for (int number = 0; number < most; ++number) {
        auto name = fmt::format("sheaf{}", number);
        const auto there = co_await links.find(name);
        if (!there) co_return name;
    }
    co_await fail(Kind::exists, "{} bridges named sheaf are there", most);
    co_return std::string{};
}

}  // namespace

const api::Kind& NetworkReconciler::kind() const {
    return api::network_kind;
}

io::Task<LookAgain> NetworkReconciler::reconcile(ObjectKey, std::optional<Json> object) {
    if (!object) co_return std::nullopt;
    if (api::is_terminating(*object)) co_return co_await end(*std::move(object));
    if (is_made_by_sheaf(*object))
        co_await client_.add_finalizer(kind(), *object, std::string{finalizer});
    auto provided = co_await provide(*object).result();
    if (!provided && provided.error().kind() == Kind::cancelled)
        co_await Failure{Error{provided.error()}};
    auto outcome = provided ? *provided : outcome_of(provided.error());
    const auto again = outcome.again;
    auto status = status_of(*object);
    status["bridge"] = bridge_of(*object);
    co_await tell_outcome(client_, events_, kind(), *object, std::move(status), std::move(outcome));
    if (!provided) co_await std::move(provided);
    co_return again;
}

io::Task<Outcome> NetworkReconciler::provide(const Json& object) {
    const auto name = bridge_of(object);
    if (!is_made_by_sheaf(object)) {
        const auto link = co_await links_.find(name);
        if (link && link->kind == "bridge") co_return Outcome{"Ready", yes, "Found", {}};
        co_return Outcome{"Pending", no, "BridgeNotFound",
                          link ? fmt::format("the link {} is no bridge", name)
                               : fmt::format("there is no bridge {}", name),
                          between_looks};
    }
    WantedBridge wanted{name, alias_of(object.text_at({"metadata", "uid"})), {}};
    const auto address = object.text_at({"spec", "bridge", "address"});
    if (!address.empty()) wanted.address = co_await net::parse_address(address);
    auto provided = co_await links_.provide_bridge(std::move(wanted)).result();
    if (!provided && provided.error().kind() == Kind::conflict)
        co_return Outcome{"Failed", no, "BridgeTaken", provided.error().text(), between_looks};
    co_await std::move(provided);
    co_return Outcome{"Ready", yes, "Provided", {}};
}

io::Task<LookAgain> NetworkReconciler::end(Json object) {
    if (!has_finalizer(object, finalizer)) co_return std::nullopt;
    auto alias = alias_of(object.text_at({"metadata", "uid"}));
    auto removed = co_await links_.remove_bridge(bridge_of(object), std::move(alias)).result();
    if (removed) {
        co_await client_.remove_finalizer(kind(), object, std::string{finalizer});
        co_return std::nullopt;
    }
    if (removed.error().kind() == Kind::cancelled) co_await Failure{Error{removed.error()}};
    auto outcome = outcome_of(removed.error());
    co_await tell_terminating(client_, events_, kind(), object, std::move(outcome));
    if (removed.error().kind() != Kind::conflict) co_await std::move(removed);
    co_return between_looks;
}

io::Task<void> ensure_default_network(ObjectClient& client, LinkService& links) {
    if (co_await client.store().get(made_key)) co_return;
    const auto name = co_await free_bridge(links);
    auto bridge = Json::object({{"name", name}, {"create", true}});
    auto spec = Json::object({{"bridge", std::move(bridge)}});
    auto metadata = Json::object({{"name", "default"}, {"namespace", "default"}});
    auto network = Json::object({{"metadata", std::move(metadata)}, {"spec", std::move(spec)}});
    const auto made = co_await client.create(api::network_kind, std::move(network)).result();
    if (!made && made.error().kind() != Kind::exists) co_await made;
    kv::Transaction transaction;
    transaction.writes.push_back({made_key, client.time()});
    co_await client.store().commit(std::move(transaction));
}

}  // namespace sheaf::control
