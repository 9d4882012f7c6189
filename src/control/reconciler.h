#pragma once

// Why: one noun each knows how an object of its kind becomes true. It looks at what is wanted and
// at what is there, never at what happened, so it may be run at any time, again, and after a crash
// at any point (docs/controllers.md).

#include <chrono>
#include <span>
#include <vector>

#include "base/json_tree.h"
#include "control/object_key.h"
#include "io/loop.h"
#include "io/task.h"

namespace sheaf::control {

// When to look again even if nothing changes; none: at the next resync.
using LookAgain = std::optional<io::Duration>;

// Loop thread only. Outlives the controllers that run it.
class Reconciler {
  public:
    Reconciler() = default;
    Reconciler(const Reconciler&) = delete;
    Reconciler& operator=(const Reconciler&) = delete;
    virtual ~Reconciler() = default;

    virtual const api::Kind& kind() const = 0;
    // Kinds beside its own whose changes matter to it.
    virtual std::span<const api::Kind* const> watched() const { return {}; }
    // Objects that are looked at even where they are not there, for it makes them.
    virtual std::vector<ObjectKey> always() const { return {}; }
    // Which of its objects a change of one of these may matter to; `now` is null where it is gone.
    virtual io::Task<std::vector<ObjectKey>> affected(const api::Kind& kind, ObjectKey changed,
                                                      const Json* now);

    // Brings one object nearer to what is wanted. It is as it was read just now; none: it is gone.
    // A failure is logged and tried again, later each time; a conflict, which says that what was
    // read is old, soon and without a word. At most one run an object at a time.
    virtual io::Task<LookAgain> reconcile(ObjectKey key, std::optional<Json> object) = 0;
};

}  // namespace sheaf::control
