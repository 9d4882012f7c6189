#include "cli/volume_replicas.h"

#include <algorithm>
#include <array>
#include <functional>

#include "cli/pool_verb.h"
#include "cli/volume.h"
#include "storage/replica/copies_record.h"
#include "storage/replica/membership.h"

namespace sheaf::cli {

namespace {

using replica::CopyMode;
using replica::MemberState;

constexpr auto options = std::to_array<Option>(
    {output_option, kv_option, tls_cert_option, tls_key_option, tls_ca_option, insecure_option});
constexpr auto operands = std::to_array<Operand>({{"NAME", "which volume"}});

constexpr std::string_view volumes_prefix = "volumes/";
constexpr std::string_view membership_suffix = "/membership";

CopyMode mode_of(MemberState state) {
    switch (state) {
        case MemberState::in_sync: return CopyMode::RW;
        case MemberState::joining: return CopyMode::WO;
        case MemberState::removed: return CopyMode::ERR;
    }
    return CopyMode::ERR;
}

// What the record says; where an engine tells more, that.
CopyShown shown(const replica::Member& member, const replica::CopiesRecord& copies,
                const std::optional<replica::Attachment>& attached) {
    CopyShown copy;
    copy.node = member.node;
    copy.mode = mode_of(member.state);
    if (const auto* place = copies.find(member.node)) copy.address = place->address;
    if (!attached) return copy;
    for (const auto& told : attached->copies) {
        if (told.node != member.node) continue;
        copy.mode = told.mode;
        copy.lag = told.lag;
        copy.copied = told.copied;
        copy.to_copy = told.to_copy;
        copy.error = told.error;
    }
    return copy;
}

std::string robustness_of(const ReplicatedShown& volume, bool stalled) {
    const auto whole = std::ranges::count(volume.copies, CopyMode::RW, &CopyShown::mode);
    if (stalled || static_cast<std::uint64_t>(whole) < volume.minimum) return "faulted";
    return static_cast<std::size_t>(whole) == volume.copies.size() ? "healthy" : "degraded";
}

template <class T>
io::Task<std::optional<T>> find(kv::Kv& store, std::string key,
                                Result<T> (*parse)(std::string_view)) {
    const auto found = co_await store.get(std::move(key));
    if (!found) co_return std::nullopt;
    co_return co_await parse(found->value);
}

std::string rebuild_of(const CopyShown& copy) {
    if (copy.to_copy == 0) return "-";
    return fmt::format("{} %", 100 * std::min(copy.copied, copy.to_copy) / copy.to_copy);
}

// Loop and access end with the verb.
template <class Found>
Result<Found> from_store(const Arguments& arguments,
                         const std::function<io::Task<Found>(kv::Kv&)>& look) {
    const auto cluster = TRY(parse_cluster_options(arguments));
    const auto loop = TRY(io::make_loop());
    std::optional<Found> found;
    auto work = [&](ClusterAccess& access) { return io::keep_value(look(access.store()), found); };
    TRY(io::run(*loop, with_cluster(*loop, cluster, std::move(work))));
    return *std::move(found);
}

Result<ReplicatedShown> find_named(const Arguments& arguments) {
    const auto look = [&](kv::Kv& store) { return find_replicated(store, arguments.operand(0)); };
    return from_store<ReplicatedShown>(arguments, look);
}

Result<void> replicas(const Arguments& arguments) {
    const auto format = TRY(parse_format(arguments));
    const auto volume = TRY(find_named(arguments));
    if (format != Format::table) return print(document(encode(volume), format));
    std::vector<std::vector<std::string>> rows{
        {"NODE", "MODE", "LAG", "REBUILD", "ADDRESS", "ERROR"}};
    for (const auto& copy : volume.copies)
        rows.push_back({copy.node, boost::describe::enum_to_string(copy.mode, ""),
                        human_size(copy.lag), rebuild_of(copy), copy.address,
                        copy.error.empty() ? "-" : copy.error});
    TRY(print(fmt::format("volume {}: {}\n", volume.name, words_of(volume))));
    return print(table(rows));
}

int replicas_main(std::span<char*> arguments) {
    return main_of(volume_replicas_verb, arguments, replicas);
}

struct ReplicatedList {
    std::vector<ReplicatedShown> volumes;
};
BOOST_DESCRIBE_STRUCT(ReplicatedList, (), (volumes))

}  // namespace

io::Task<ReplicatedShown> find_replicated(kv::Kv& store, std::string name) {
    const auto membership =
        co_await find(store, replica::membership_key(name), replica::parse_membership);
    const auto copies = co_await find(store, replica::copies_key(name), replica::parse_copies);
    if (!membership && copies)
        co_await fail(
            Kind::conflict,
            "volume {}: was begun or deleted, and not to the end; volume delete {} ends it", name,
            name);
    if (!membership)
        co_await fail(Kind::not_found, "volume {}: the store has none of that name", name);
    const auto attached =
        co_await find(store, replica::attachment_key(name), replica::parse_attachment);
    ReplicatedShown volume;
    volume.name = std::move(name);
    volume.size = membership->size;
    volume.state = attached ? "attached" : "detached";
    volume.node = attached ? attached->node : membership->engine;
    volume.epoch = membership->epoch;
    volume.minimum = membership->minimum;
    volume.healed = attached ? attached->healed : 0;
    for (const auto& member : membership->members)
        volume.copies.push_back(shown(member, copies.value_or(replica::CopiesRecord{}), attached));
    volume.robustness = robustness_of(volume, attached && attached->stalled);
    co_return volume;
}

io::Task<std::vector<ReplicatedShown>> find_all_replicated(kv::Kv& store) {
    std::vector<ReplicatedShown> volumes;
    kv::ListRequest request;
    request.prefix = volumes_prefix;
    while (true) {
        const auto page = co_await store.list(request);
        for (const auto& record : page.records) {
            if (!record.key.ends_with(membership_suffix)) continue;
            const auto length =
                record.key.size() - volumes_prefix.size() - membership_suffix.size();
            auto volume =
                co_await find_replicated(store, record.key.substr(volumes_prefix.size(), length))
                    .result();
            // It may have been deleted since.
            if (!volume && volume.error().kind() == Kind::not_found) continue;
            volumes.push_back(co_await std::move(volume));
        }
        if (!page.more) co_return volumes;
        request.after = page.records.back().key;
        request.at = page.revision;
    }
}

std::string words_of(const ReplicatedShown& volume) {
    auto words =
        fmt::format("{} copies, {}, {}", volume.copies.size(), volume.robustness, volume.state);
    if (volume.state == "attached") words += " to node " + volume.node;
    return words;
}

Result<void> list_replicated(const Arguments& arguments) {
    const auto format = TRY(parse_format(arguments));
    const ReplicatedList found{
        TRY(from_store<std::vector<ReplicatedShown>>(arguments, find_all_replicated))};
    if (format != Format::table) return print(document(encode(found), format));
    std::vector<std::vector<std::string>> rows{{"NAME", "SIZE", "STATE"}};
    for (const auto& volume : found.volumes)
        rows.push_back({volume.name, human_size(volume.size), words_of(volume)});
    return print(table(rows));
}

Result<void> show_replicated(const Arguments& arguments) {
    const auto format = TRY(parse_format(arguments));
    const auto volume = TRY(find_named(arguments));
    if (format != Format::table) return print(document(encode(volume), format));
    std::string nodes;
    for (const auto& copy : volume.copies) nodes += (nodes.empty() ? "" : ", ") + copy.node;
    return print(table({{"name", volume.name},
                        {"size", human_size(volume.size)},
                        {"state", words_of(volume)},
                        {"copies", nodes},
                        {"minimum", fmt::format("{}", volume.minimum)},
                        {"epoch", fmt::format("{}", volume.epoch)}}));
}

constinit const Verb volume_replicas_verb = {
    .name = "volume replicas",
    .summary = "say how the copies of a replicated volume are doing",
    .options = options,
    .details =
        "RW: has all that was answered. WO: is being rebuilt, and gets what is written. ERR: is "
        "of\n"
        "no use now, and taken in again when it can be reached. The volume is healthy with all of\n"
        "them, degraded with fewer, faulted with too few: then requests wait. What is attached\n"
        "tells it itself, at most a second late.",
    .example = "sheaf volume replicas web --kv etcd:https://10.0.0.9:2379 --tls-cert a.pem ...",
    .main = replicas_main,
    .operands = operands,
};

}  // namespace sheaf::cli
