#pragma once

// Why: controllers are clients of the API like any other: what they read has a revision, what they
// write is refused where somebody else was faster.

#include <vector>

#include "api/objects.h"
#include "control/object_key.h"

namespace sheaf::control {

// Loop thread only, any number of calls at once. The objects outlive it. Every write fails with
// conflict where the object is not the one that was read any more, or is gone.
class ObjectClient {
  public:
    explicit ObjectClient(api::Objects& objects) : objects_(objects) {}

    io::Task<std::optional<Json>> get(const api::Kind& kind, ObjectKey key);
    // All of the kind, or those of a namespace.
    io::Task<std::vector<Json>> list(const api::Kind& kind, std::string name_space = {});
    io::Task<std::vector<ObjectKey>> keys(const api::Kind& kind);

    // Each of these leaves in `object` what is kept then.
    //
    // Writes nothing where the status is this one already.
    io::Task<void> set_status(const api::Kind& kind, Json& object, Json status);
    // Someone else may delete the object only once this one is removed.
    io::Task<void> add_finalizer(const api::Kind& kind, Json& object, std::string finalizer);
    // With the last one an object that was deleted goes.
    io::Task<void> remove_finalizer(const api::Kind& kind, Json& object, std::string finalizer);
    // Labels, annotations, the spec: everything but the status.
    io::Task<void> replace(const api::Kind& kind, Json& object);

    // The new object. Fails with exists where its name is taken.
    io::Task<Json> create(const api::Kind& kind, Json object);
    // Asks for its end. One that is gone is no failure.
    io::Task<void> remove(const api::Kind& kind, ObjectKey key, std::string uid);

    api::Objects& objects() { return objects_; }
    kv::Kv& store() { return objects_.store(); }
    // As the API writes it.
    std::string time() const { return api::time_text(objects_.clock().now()); }

  private:
    api::Objects& objects_;
};

bool has_finalizer(const Json& object, std::string_view finalizer);

}  // namespace sheaf::control
