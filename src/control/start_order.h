#pragma once

// Why: some machines are needed by others, and are to run before these where many are started at
// once, as when the host comes up (docs/controllers.md, VirtualMachine).

#include <map>
#include <optional>

#include "base/json_tree.h"
#include "control/object_key.h"

namespace sheaf::control {

// Any one thread.
class StartOrder {
  public:
    // Of a machine: its annotation; 0 where it has none, or none that makes sense.
    static std::int64_t priority_of(const Json& machine);

    // What is known of a machine: whether it is about to be started. Who cannot be started now, or
    // runs, holds nobody up.
    void note(const ObjectKey& machine, std::int64_t priority, bool about_to_start);
    // The same where nothing is known of it yet.
    void expect(const ObjectKey& machine, std::int64_t priority, bool about_to_start);
    void forget(const ObjectKey& machine) { places_.erase(machine); }
    // One that goes first: the one of the highest priority. None: this one may begin.
    std::optional<ObjectKey> before(const ObjectKey& machine) const;

  private:
    struct Place {
        std::int64_t priority = 0;
        bool about_to_start = false;
    };
    std::map<ObjectKey, Place> places_;
};

}  // namespace sheaf::control
