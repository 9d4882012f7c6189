#pragma once

// Why: what an engine of a replicated volume is told, and what it counts.

#include <string>

#include "storage/replica/member_way.h"
#include "storage/replica/mutation.h"

namespace sheaf::replica {

struct EngineOptions {
    std::string volume;          // its name in the store
    std::string node;            // this host's
    std::uint64_t instance = 0;  // of this activation, drawn at random
    Patience patience{};
    io::Duration retry = std::chrono::milliseconds{100};  // between attempts to reach a copy
    io::Duration restore = std::chrono::seconds{1};       // between looks at who is missing
    io::Duration settle = std::chrono::seconds{2};        // between two rounds of taking marks back
    Mutation mutation = Mutation::none;
};

// What has happened to an engine, for metrics and tests.
struct EngineCounters {
    std::uint64_t repeated = 0;  // attempts of requests that had to be made again
    std::uint64_t removed = 0;   // members
    std::uint64_t resumed = 0;   // lost ways that came back as they were
    std::uint64_t renewed = 0;   // members that came back in another incarnation
    std::uint64_t rebuilt = 0;
    std::uint64_t rebuilt_stalled = 0;  // of them, while requests waited
    std::uint64_t made_alike = 0;       // bytes, at activations and renewals
    std::uint64_t copied = 0;           // bytes, of rebuilds
    std::uint64_t settled = 0;          // rounds
    std::uint64_t healed = 0;           // damaged places of copies, written again from another

    void add(const EngineCounters& other);
};

}  // namespace sheaf::replica
