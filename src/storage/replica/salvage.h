#pragma once

// Why: where too few copies are left for good, a volume waits for ever, for nobody but a person
// can know that the others will not come back. On his word it goes on from one copy that he names;
// what that costs is told before. Rules: docs/formats/membership.md, "Salvage".

#include "storage/replica/membership.h"
#include "store/kv.h"

namespace sheaf::replica {

struct Salvage {
    std::string volume;
    Membership next;  // the record as it is to become
    kv::Revision revision = 0;
    std::string cost;  // what is lost by it, for people
};

// Loop thread only, both; the store outlives the task. Changes nothing. Fails with not_found, with
// invalid where the node has no copy, with conflict where an engine has the volume.
io::Task<Salvage> plan_salvage(kv::Kv& store, std::string volume, std::string node);
// Does it. Fails with conflict where anything has changed since.
io::Task<void> carry_out(kv::Kv& store, Salvage salvage);

}  // namespace sheaf::replica
