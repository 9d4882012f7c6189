#include "cli/replicated_options.h"

#include <algorithm>

#include "storage/replica/membership.h"
#include "storage/replica/messages.h"

namespace sheaf::cli {

Result<std::vector<replica::CopyPlace>> parse_nodes(std::string_view text) {
    std::vector<replica::CopyPlace> places;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        const auto word = text.substr(0, comma);
        text.remove_prefix(std::min(comma + 1, text.size()));
        const auto equals = word.find('=');
        if (equals == word.npos) return fail(Kind::invalid, "{:?} is not NODE=ADDRESS", word);
        replica::CopyPlace place{std::string{word.substr(0, equals)},
                                 std::string{word.substr(equals + 1)}};
        TRY_WITHIN(replica::check_node_name(place.node), "{:?}", word);
        TRY_WITHIN(replica::parse_address(place.address), "node {}", place.node);
        if (std::ranges::find(places, place.node, &replica::CopyPlace::node) != places.end())
            return fail(Kind::invalid, "node {} is named twice", place.node);
        places.push_back(std::move(place));
    }
    return places;
}

Result<replica::NewReplicatedVolume> parse_copies(const Arguments& arguments) {
    replica::NewReplicatedVolume wanted;
    wanted.copies = TRY_WITHIN(parse_nodes(TRY(arguments.one("nodes"))), "--nodes");
    if (wanted.copies.empty()) return fail(Kind::invalid, "--nodes is missing");
    const auto count = wanted.copies.size();
    if (count > replica::most_members)
        return fail(Kind::invalid, "--nodes names {}; at most {} have a copy", count,
                    replica::most_members);
    if (arguments.has("replicas")) {
        const auto word = TRY(arguments.one("replicas"));
        if (TRY_WITHIN(parse_number(word, 1, replica::most_members), "--replicas") != count)
            return fail(Kind::invalid, "--replicas {} and --nodes with {} of them", word, count);
    }
    wanted.minimum = replica::usual_minimum(count);
    if (arguments.has("minimum"))
        wanted.minimum = static_cast<std::uint32_t>(
            TRY_WITHIN(parse_number(TRY(arguments.one("minimum")), 1, count), "--minimum"));
    return wanted;
}

}  // namespace sheaf::cli
