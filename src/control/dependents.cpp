#include "control/dependents.h"

namespace sheaf::control {

void Dependents::wait(const ObjectKey& who, const api::Kind& kind, const ObjectKey& on) {
    const Awaited awaited{&kind, on};
    waiting_[awaited].insert(who);
    awaited_[who].insert(awaited);
}

void Dependents::forget(const ObjectKey& who) {
    const auto known = awaited_.find(who);
    if (known == awaited_.end()) return;
    for (const auto& awaited : known->second) {
        const auto list = waiting_.find(awaited);
        list->second.erase(who);
        if (list->second.empty()) waiting_.erase(list);
    }
    awaited_.erase(known);
}

std::vector<ObjectKey> Dependents::of(const api::Kind& kind, const ObjectKey& on) const {
    const auto found = waiting_.find({&kind, on});
    if (found == waiting_.end()) return {};
    return {found->second.begin(), found->second.end()};
}

}  // namespace sheaf::control
