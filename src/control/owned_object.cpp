#include "control/owned_object.h"

#include <algorithm>

namespace sheaf::control {

bool is_owned(const Json& object, const Json& owner) {
    const auto* references = object.at({"metadata", "ownerReferences"});
    const auto uid = owner.text_at({"metadata", "uid"});
    return references && references->array() &&
           std::ranges::any_of(*references->array(), [&](const Json& reference) {
               return reference.text_at({"uid"}) == uid;
           });
}

Json owner_reference(const api::Kind& kind, const Json& owner) {
    return Json::object({{"apiVersion", kind.api_version()},
                         {"kind", kind.name},
                         {"name", owner.text_at({"metadata", "name"})},
                         {"uid", owner.text_at({"metadata", "uid"})},
                         {"controller", true},
                         {"blockOwnerDeletion", true}});
}

io::Task<void> disown(ObjectClient& client, const api::Kind& kind, Json& object,
                      const Json& owner) {
    if (!is_owned(object, owner)) co_return;
    const auto uid = owner.text_at({"metadata", "uid"});
    auto& owners = *object["metadata"]["ownerReferences"].array();
    std::erase_if(owners, [&](const Json& one) { return one.text_at({"uid"}) == uid; });
    if (owners.empty()) object["metadata"].erase("ownerReferences");
    co_await client.replace(kind, object);
}

io::Task<Json> provide_object(ObjectClient& client, const api::Kind& kind,
                              const api::Kind& owner_kind, const Json& owner, Json spec) {
    const auto key = key_of(owner);
    auto there = co_await client.get(kind, key);
    if (there) co_return *std::move(there);
    Json::Array references;
    references.push_back(owner_reference(owner_kind, owner));
    auto metadata = Json::object({{"name", key.name}, {"namespace", key.name_space}});
    metadata["ownerReferences"] = std::move(references);
    auto wanted = Json::object({{"metadata", std::move(metadata)}, {"spec", std::move(spec)}});
    co_return co_await client.create(kind, std::move(wanted));
}

io::Task<bool> remove_owned(ObjectClient& client, const api::Kind& kind, const Json& owner) {
    const auto there = co_await client.get(kind, key_of(owner));
    if (!there || !is_owned(*there, owner)) co_return true;
    auto uid = std::string{there->text_at({"metadata", "uid"})};
    if (!api::is_terminating(*there)) co_await client.remove(kind, key_of(owner), std::move(uid));
    const auto left = co_await client.get(kind, key_of(owner));
    co_return !left.has_value();
}

}  // namespace sheaf::control
