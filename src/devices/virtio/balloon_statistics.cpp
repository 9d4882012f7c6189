#include "devices/virtio/balloon_statistics.h"

#include <algorithm>
#include <limits>

namespace sheaf::virtio {

namespace {

struct [[gnu::packed]] WireEntry {
    std::uint16_t tag;
    std::uint64_t value;
};
static_assert(sizeof(WireEntry) == 10 && WireStruct<WireEntry>);

constexpr unsigned most_entries = 64;

struct Name {
    std::string_view name;
    std::string_view help;
};
constexpr auto names = std::to_array<Name>({
    {"swapped_in_bytes", "Memory the guest read from its swap."},
    {"swapped_out_bytes", "Memory the guest wrote to its swap."},
    {"major_faults", "Page faults of the guest that waited for a disk."},
    {"minor_faults", "Page faults of the guest that did not."},
    {"free_bytes", "Memory the guest uses for nothing."},
    {"total_bytes", "Memory the guest has, without what the balloon took."},
    {"available_bytes", "Memory the guest could use without swapping."},
    {"cache_bytes", "Memory that holds what the guest has on disks."},
    {"huge_page_allocations", "Huge pages the guest allocated."},
    {"huge_page_failures", "Huge pages the guest could not allocate."},
    {"out_of_memory_kills", "Processes the guest ended for want of memory."},
    {"allocation_stalls", "Allocations of the guest that had to reclaim."},
    {"scanned_by_daemon_pages", "Pages the guest's daemon looked at to reclaim them."},
    {"scanned_directly_pages", "Pages an allocation of the guest looked at to reclaim them."},
    {"reclaimed_by_daemon_pages", "Pages the guest's daemon reclaimed."},
    {"reclaimed_directly_pages", "Pages an allocation of the guest reclaimed."},
});
static_assert(names.size() == BalloonStatistics::count);

}  // namespace

void BalloonStatistics::take(Readable& entries) {
    for (unsigned taken = 0; taken < most_entries; ++taken) {
        const auto entry = entries.take<WireEntry>();
        if (!entry) break;
        if (entry->tag >= count) continue;
        constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
        const std::uint64_t value = entry->value;
        entries_[entry->tag].value.set(static_cast<std::int64_t>(std::min(value, most)));
        entries_[entry->tag].known = true;
    }
    updates_.add();
}

std::optional<std::uint64_t> BalloonStatistics::value(GuestStatistic statistic) const {
    const auto& entry = entries_.at(static_cast<std::size_t>(statistic));
    if (!entry.known) return std::nullopt;
    return static_cast<std::uint64_t>(entry.value.value());
}

std::map<std::string, std::uint64_t> BalloonStatistics::values() const {
    std::map<std::string, std::uint64_t> values;
    for (std::size_t tag = 0; tag < count; ++tag)
        if (const auto known = value(static_cast<GuestStatistic>(tag)))
            values.emplace(names[tag].name, *known);
    return values;
}

Result<std::vector<MetricsRegistry::Registration>> BalloonStatistics::show(
    MetricsRegistry& registry, const std::vector<MetricLabel>& labels) const {
    std::vector<MetricsRegistry::Registration> shown;
    shown.reserve(count + 1);
    for (std::size_t tag = 0; tag < count; ++tag)
        shown.push_back(TRY(registry.add({.name = fmt::format("sheaf_guest_{}", names[tag].name),
                                          .help = std::string{names[tag].help},
                                          .labels = labels},
                                         entries_[tag].value)));
    shown.push_back(TRY(registry.add({.name = "sheaf_guest_statistics_total",
                                      .help = "Times the guest told its statistics.",
                                      .labels = labels},
                                     updates_)));
    return shown;
}

}  // namespace sheaf::virtio
