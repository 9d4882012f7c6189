#include "control/start_order.h"

#include "api/machine_fields.h"

namespace sheaf::control {

std::int64_t StartOrder::priority_of(const Json& machine) {
    const auto text = machine.text_at({"metadata", "annotations", api::start_priority_annotation});
    return api::parse_start_priority(text).value_or(0);
}

void StartOrder::note(const ObjectKey& machine, std::int64_t priority, bool about_to_start) {
    places_.insert_or_assign(machine, Place{priority, about_to_start});
}

void StartOrder::expect(const ObjectKey& machine, std::int64_t priority, bool about_to_start) {
    places_.try_emplace(machine, Place{priority, about_to_start});
}

std::optional<ObjectKey> StartOrder::before(const ObjectKey& machine) const {
    const auto own = places_.find(machine);
    auto least = own == places_.end() ? 0 : own->second.priority;
    std::optional<ObjectKey> first;
    for (const auto& [key, place] : places_) {
        if (!place.about_to_start || place.priority <= least) continue;
        first = key;
        least = place.priority;
    }
    return first;
}

}  // namespace sheaf::control
