#pragma once

// Why: only the guest knows how much of its memory is free. What it says about itself (virtio 1.2,
// section 5.5.6.3) is kept here for whoever asks, and as metrics.

#include <array>
#include <map>
#include <optional>
#include <string>

#include "base/metrics_registry.h"
#include "devices/virtio/chain.h"

namespace sheaf::virtio {

// In the order of their tags.
enum class GuestStatistic : std::uint16_t {
    swapped_in,   // bytes
    swapped_out,  // bytes
    major_faults,
    minor_faults,
    free,       // bytes
    total,      // bytes
    available,  // bytes, without swapping
    caches,     // bytes
    huge_page_allocations,
    huge_page_failures,
    out_of_memory_kills,
    allocation_stalls,
    scanned_by_daemon,  // pages
    scanned_directly,
    reclaimed_by_daemon,
    reclaimed_directly,
};

// Written on the loop thread, read on any.
class BalloonStatistics {
  public:
    static constexpr std::size_t count = 16;

    // Takes the guest's list. Tags it does not know and what follows `most_entries` are left out.
    void take(Readable& entries);

    // What the guest said last; none where it never did.
    std::optional<std::uint64_t> value(GuestStatistic statistic) const;
    // All that the guest said last, by the names that the metrics have after "sheaf_guest_".
    std::map<std::string, std::uint64_t> values() const;
    // How many lists were taken.
    std::uint64_t updates() const { return updates_.value(); }

    // Shows all as metrics with these labels, for as long as the registrations live; a value that
    // the guest never gave is zero.
    Result<std::vector<MetricsRegistry::Registration>> show(
        MetricsRegistry& registry, const std::vector<MetricLabel>& labels) const;

  private:
    struct Entry {
        Gauge value;
        std::atomic<bool> known = false;
    };
    std::array<Entry, count> entries_;
    Counter updates_;
};

}  // namespace sheaf::virtio
