#pragma once

// Why: a rule that could be broken without anybody noticing is not tested. Rules of replication can
// be broken by name, in builds for tests only, and the simulation must find every one.

#include <array>
#include <cstdint>

namespace sheaf::replica {

enum class Mutation : std::uint8_t {
    none,
    epoch_not_checked,
    answered_before_removal,
    copies_not_made_alike,
    incarnation_not_looked_at,
    marks_taken_back_when_idle,
    ranges_not_locked,
    joiner_left_out_of_writes,
    removal_without_condition,
    flush_leaves_one_out,
};

struct MutationName {
    Mutation mutation;
    const char* name;
};
inline constexpr auto mutations = std::to_array<MutationName>({
    {Mutation::epoch_not_checked, "epoch_not_checked"},
    {Mutation::answered_before_removal, "answered_before_removal"},
    {Mutation::copies_not_made_alike, "copies_not_made_alike"},
    {Mutation::incarnation_not_looked_at, "incarnation_not_looked_at"},
    {Mutation::marks_taken_back_when_idle, "marks_taken_back_when_idle"},
    {Mutation::ranges_not_locked, "ranges_not_locked"},
    {Mutation::joiner_left_out_of_writes, "joiner_left_out_of_writes"},
    {Mutation::removal_without_condition, "removal_without_condition"},
    {Mutation::flush_leaves_one_out, "flush_leaves_one_out"},
});

#ifdef SHEAF_MUTATIONS
constexpr bool broken(Mutation chosen, Mutation rule) {
    return chosen == rule;
}
#else
constexpr bool broken(Mutation /*chosen*/, Mutation /*rule*/) {
    return false;
}
#endif

}  // namespace sheaf::replica
