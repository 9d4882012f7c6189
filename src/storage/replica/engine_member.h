#pragma once

// Why: what an engine knows of one member: the way to its copy, whether it counts, what it lacks,
// and what people are told of it.

#include "storage/replica/attachment.h"
#include "storage/replica/member_way.h"
#include "storage/volume/region_set.h"

namespace sheaf::replica {

struct EngineMember {
    EngineMember(io::Loop& loop, Ways& ways, std::string node, const Patience& patience)
        : way(loop, ways, std::move(node), patience) {}

    MemberWay way;
    bool counts = false;            // must have what is answered
    bool fed = false;               // gets what is written
    std::uint64_t incarnation = 0;  // of the copy, when it was reached last
    std::vector<Range> marked;      // as it told then
    bool followed = false;          // what it misses is known: it was removed by this engine
    volume::RegionSet missed;
    std::uint64_t copied = 0;   // bytes of the rebuild that runs
    std::uint64_t to_copy = 0;  // and how many it is of; 0: none runs
    std::string error;          // why it was lost last; empty since it was whole again
};

}  // namespace sheaf::replica
