#pragma once

// Why: runs a reconciler over its objects: as many at once as is good for the host, each in its
// turn, the failed ones again.

#include "api/objects.h"
#include "base/log.h"
#include "control/object_client.h"
#include "control/reconciler.h"
#include "control/work_queue.h"
#include "io/event.h"
#include "io/task_group.h"

namespace sheaf::control {

struct ControllerLimits {
    std::size_t most_at_once = 4;
    io::Duration patience = std::chrono::seconds{5};  // with what is under way at the end
};

// Loop thread only. Whatever is passed outlives it.
class Controller {
  public:
    Controller(io::Loop& loop, ObjectClient& client, Reconciler& reconciler, const Logger& logger,
               WorkQueue::Random random, ControllerLimits limits = {})
        : loop_(loop),
          client_(client),
          reconciler_(reconciler),
          logger_(logger),
          queue_(std::move(random)),
          limits_(limits) {}

    Reconciler& reconciler() { return reconciler_; }
    // Something about the object may have changed.
    void add(const ObjectKey& key);
    // Looks at all objects of the kind.
    io::Task<void> add_all();
    // Works until stop(), then lets what is under way end, for some time; or until it is cancelled.
    io::Task<void> run();
    void stop();
    std::size_t waiting() const { return queue_.size(); }

  private:
    io::Task<void> dispatch();
    io::Task<void> drain();
    io::Task<void> cancel_late();
    io::Task<void> wait();
    io::Task<void> wait_stirred();
    io::Task<void> run_one(ObjectKey key);
    io::Task<LookAgain> reconcile(ObjectKey key);
    void note_failure(const ObjectKey& key, const Error& error);

    io::Loop& loop_;
    ObjectClient& client_;
    Reconciler& reconciler_;
    const Logger& logger_;
    WorkQueue queue_;
    ControllerLimits limits_;
    io::Event stirred_;  // something became due, or may begin
    io::TaskGroup running_;
    std::size_t busy_ = 0;
    bool stopping_ = false;
};

}  // namespace sheaf::control
