#pragma once

// Why: whatever a reconciler finds is told in the same way: a phase in one word, the condition
// Ready, and an Event where that changed.

#include "control/conditions.h"
#include "control/event_recorder.h"
#include "control/reconciler.h"

namespace sheaf::control {

// How an object stands now.
struct Outcome {
    std::string_view phase;   // "Pending", "Ready", ...
    std::string_view ready;   // yes, no
    std::string_view reason;  // one word, for machines
    std::string message;
    LookAgain again = {};
};

// Of something that failed: what is wrong with the object itself is told apart from what may pass.
Outcome outcome_of(const Error& error);

// Writes `status` with the phase and the condition, and an Event where Ready, its reason or its
// message is another than before. Everything outlives it; `object` is what is kept then.
io::Task<void> tell_outcome(ObjectClient& client, EventRecorder& events, const api::Kind& kind,
                            Json& object, Json status, Outcome outcome);

// The same of an object that was deleted and is not gone yet.
io::Task<void> tell_terminating(ObjectClient& client, EventRecorder& events, const api::Kind& kind,
                                Json& object, Outcome outcome);

// The status that an object has; empty where it has none.
Json status_of(const Json& object);

}  // namespace sheaf::control
