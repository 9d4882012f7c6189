#pragma once

// Why: a replicated volume is there whole, a copy on each of its nodes and its records in the
// store, or not at all; and what an interruption leaves is known, and goes with the next deletion.
// The order of steps is in docs/formats/membership.md, "Where the copies are".

#include "storage/replica/copies_record.h"
#include "storage/replica/dialer.h"
#include "store/kv.h"

namespace sheaf::replica {

struct NewReplicatedVolume {
    std::string name;
    std::uint64_t size = 0;     // bytes
    std::uint32_t minimum = 1;  // copies in sync for it to be written
    std::vector<CopyPlace> copies;
};

// How many copies have to be in sync where nobody says it: a majority, or one of two, for the store
// tells which of them has everything.
std::uint32_t usual_minimum(std::size_t copies);

// Loop thread only, both; store and dialer outlive the task. Fails with exists, or with the reason
// of the first node that cannot; then nothing is left, or the text says what and how it goes.
io::Task<void> create_replicated(kv::Kv& store, Dialer& dialer, NewReplicatedVolume wanted);
// Also of one that was never finished. conflict: an engine has it; unavailable: some node's copy is
// left, and the volume can only be deleted again.
io::Task<void> delete_replicated(kv::Kv& store, Dialer& dialer, std::string name);

}  // namespace sheaf::replica
