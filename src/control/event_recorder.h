#pragma once

// Why: what a person should hear of an object is told as Events, as Kubernetes has them: what
// happens again is counted, and what is an hour old is forgotten.

#include "base/log.h"
#include "base/token_bucket.h"
#include "control/object_client.h"
#include "io/loop.h"

namespace sheaf::control {

struct Event {
    std::string_view type;    // one of the next two
    std::string_view reason;  // one word, for machines
    std::string message;      // a sentence, for people
};
inline constexpr std::string_view normal = "Normal";
inline constexpr std::string_view warning = "Warning";

// Loop thread only, any number of calls at once. Whatever is passed outlives it.
class EventRecorder {
  public:
    // Of an Event since it was written last; the lease of it is shared by those of ten minutes.
    static constexpr std::chrono::minutes life{70};
    static constexpr std::chrono::minutes shared{10};
    // So many at once, and then one a second; what is more is dropped.
    static constexpr std::uint64_t burst = 100;

    EventRecorder(io::Loop& loop, ObjectClient& client, const Logger& logger)
        : loop_(loop), client_(client), logger_(logger), bucket_(1, burst, loop.now()) {}

    // Happened to the object just now. Of an object of the cluster it is kept in the namespace
    // default. One that cannot be written is logged: nothing waits for it.
    io::Task<void> record(const api::Kind& kind, Json object, Event event);

  private:
    io::Task<void> write(const api::Kind& kind, Json object, Event event);
    io::Task<void> try_write(std::string name_space, Json written);
    io::Task<kv::LeaseId> lease();

    io::Loop& loop_;
    ObjectClient& client_;
    const Logger& logger_;
    TokenBucket bucket_;
    kv::LeaseId lease_ = 0;
    io::TimePoint lease_until_{};  // new Events take another one then
};

}  // namespace sheaf::control
