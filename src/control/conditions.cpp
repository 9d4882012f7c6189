#include "control/conditions.h"

#include <algorithm>

namespace sheaf::control {

namespace {

Json* find_in(Json& conditions, std::string_view type) {
    if (!conditions.array()) conditions = Json::Array{};
    const auto found = std::ranges::find_if(
        *conditions.array(), [&](const Json& one) { return one.text_at({"type"}) == type; });
    return found == conditions.array()->end() ? nullptr : &*found;
}

}  // namespace

void set_condition(Json& status, const Json& object, const Condition& condition,
                   std::string_view time) {
    auto* before = find_in(status["conditions"], condition.type);
    auto now = Json::object({{"type", condition.type}, {"status", condition.status}});
    now["reason"] = condition.reason;
    if (!condition.message.empty()) now["message"] = condition.message;
    const bool same = before && before->text_at({"status"}) == condition.status;
    now["lastTransitionTime"] = same ? before->text_at({"lastTransitionTime"}) : time;
    if (const auto* generation = object.at({"metadata", "generation"}))
        now["observedGeneration"] = *generation;
    if (before) {
        *before = std::move(now);
    } else {
        status["conditions"].array()->push_back(std::move(now));
    }
}

const Json* find_condition(const Json& status, std::string_view type) {
    const auto* conditions = status.find("conditions");
    if (!conditions || !conditions->array()) return nullptr;
    const auto found = std::ranges::find_if(
        *conditions->array(), [&](const Json& one) { return one.text_at({"type"}) == type; });
    return found == conditions->array()->end() ? nullptr : &*found;
}

std::string message_of(const Json& object, std::string_view type) {
    const auto* status = object.find("status");
    const auto* found = status ? find_condition(*status, type) : nullptr;
    return found ? std::string{found->text_at({"message"})} : std::string{};
}

bool is_condition(const Json& object, std::string_view type, std::string_view status) {
    const auto* all = object.find("status");
    const auto* found = all ? find_condition(*all, type) : nullptr;
    return found && found->text_at({"status"}) == status;
}

void remove_condition(Json& status, std::string_view type) {
    auto* conditions = status.find("conditions");
    if (!conditions || !conditions->array()) return;
    std::erase_if(*conditions->array(),
                  [&](const Json& one) { return one.text_at({"type"}) == type; });
}

}  // namespace sheaf::control
