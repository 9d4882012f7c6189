#include "control/reconciler.h"

namespace sheaf::control {

// Of the same name: a claim and its volume, a machine and its instance.
io::Task<std::vector<ObjectKey>> Reconciler::affected(const api::Kind&, ObjectKey changed,
                                                      const Json*) {
    std::vector<ObjectKey> keys;
    keys.push_back(std::move(changed));
    co_return keys;
}

}  // namespace sheaf::control
