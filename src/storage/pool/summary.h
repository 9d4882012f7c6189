#pragma once

// Why: volumes and images are listed without opening an engine and without taking a lock, so that
// looking disturbs nobody. What an engine has not written yet is not seen.

#include <boost/describe.hpp>

#include "io/loop.h"
#include "io/task.h"
#include "storage/pool/pool.h"

namespace sheaf::pool {

// What its files say of it.
BOOST_DEFINE_ENUM_CLASS(State, clean, in_use, not_closed, damaged)

struct Summary {
    std::string name;
    State state = State::damaged;
    std::uint64_t size = 0;    // bytes that a guest sees
    std::uint64_t used = 0;    // bytes of the file system that its layers take
    std::uint64_t shared = 0;  // and of these the layers that others have too
    unsigned layers = 0;
    bool checksums = false;
    std::string created;
    std::string holder;   // who has it open
    std::string problem;  // what is damaged
    std::optional<std::string> source;
    std::optional<std::string> sha256;
    std::optional<std::string> node;  // of a copy of a replicated volume
};
BOOST_DESCRIBE_STRUCT(Summary, (),
                      (name, state, size, used, shared, layers, checksums, created, holder, problem,
                       source, sha256, node))

// Fails with not_found or invalid; damage is in the summary. The pool outlives the task.
io::Task<Summary> summarize(io::Loop& loop, const Pool& pool, Shelf shelf, std::string name);
// Of all on the shelf, by name; what is deleted meanwhile is not there.
io::Task<std::vector<Summary>> summarize_all(io::Loop& loop, const Pool& pool, Shelf shelf);

}  // namespace sheaf::pool
