#pragma once

// Why: an object that waits for another one is looked at again when that one changes. Who waits for
// what is remembered, for looking through all objects at each change would take longer the more
// there are.

#include <map>
#include <set>
#include <vector>

#include "control/object_key.h"

namespace sheaf::control {

// Any one thread.
class Dependents {
  public:
    // To be called before the other object is read: a change after that is not missed.
    void wait(const ObjectKey& who, const api::Kind& kind, const ObjectKey& on);
    // It waits for nothing any more.
    void forget(const ObjectKey& who);
    std::vector<ObjectKey> of(const api::Kind& kind, const ObjectKey& on) const;
    bool empty() const { return waiting_.empty(); }

  private:
    using Awaited = std::pair<const api::Kind*, ObjectKey>;
    std::map<Awaited, std::set<ObjectKey>> waiting_;
    std::map<ObjectKey, std::set<Awaited>> awaited_;
};

}  // namespace sheaf::control
