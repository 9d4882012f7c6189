#pragma once

// Why: a rule that could be broken without anybody noticing is not tested. Each rule here can be
// broken by name, in builds for tests only, and the simulation must find every one of them.

#include <array>
#include <cstdint>

namespace sheaf::volume {

enum class Mutation : std::uint8_t {
    none,
    snapshot_without_drain,
    snapshot_over_open_checksums,
    claim_ended_before_commit,
    room_given_back_before_stable,
    view_not_pinned,
    claims_of_others_ignored,
    zeros_not_merged,
    merge_without_lock,
    chain_while_merging,
    flush_before_the_stack,
    zero_without_state,
    freed_slot_used_at_once,
    flush_without_content,
    write_without_mark,
    mark_taken_back_early,
    marked_trusted_after_crash,
    checksums_not_looked_at,
    index_not_kept_up,
    answered_before_told,
    flush_goes_back,
    told_trusted_after_power_cut,
};

struct MutationName {
    Mutation mutation;
    const char* name;
};
inline constexpr auto mutations = std::to_array<MutationName>({
    {Mutation::snapshot_without_drain, "snapshot_without_drain"},
    {Mutation::snapshot_over_open_checksums, "snapshot_over_open_checksums"},
    {Mutation::claim_ended_before_commit, "claim_ended_before_commit"},
    {Mutation::room_given_back_before_stable, "room_given_back_before_stable"},
    {Mutation::view_not_pinned, "view_not_pinned"},
    {Mutation::claims_of_others_ignored, "claims_of_others_ignored"},
    {Mutation::zeros_not_merged, "zeros_not_merged"},
    {Mutation::merge_without_lock, "merge_without_lock"},
    {Mutation::chain_while_merging, "chain_while_merging"},
    {Mutation::flush_before_the_stack, "flush_before_the_stack"},
    {Mutation::zero_without_state, "zero_without_state"},
    {Mutation::freed_slot_used_at_once, "freed_slot_used_at_once"},
    {Mutation::flush_without_content, "flush_without_content"},
    {Mutation::write_without_mark, "write_without_mark"},
    {Mutation::mark_taken_back_early, "mark_taken_back_early"},
    {Mutation::marked_trusted_after_crash, "marked_trusted_after_crash"},
    {Mutation::checksums_not_looked_at, "checksums_not_looked_at"},
    {Mutation::index_not_kept_up, "index_not_kept_up"},
    {Mutation::answered_before_told, "answered_before_told"},
    {Mutation::flush_goes_back, "flush_goes_back"},
    {Mutation::told_trusted_after_power_cut, "told_trusted_after_power_cut"},
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

}  // namespace sheaf::volume
