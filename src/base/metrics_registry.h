#pragma once

// Why: somebody has to know every metric there is, to show them all. The registry is passed to who
// makes metrics; there is no global one. A metric is seen as long as its registration lives.
//
//     Counter reads;
//     auto known = TRY(registry.add({"sheaf_disk_reads_total", "Requests.", {{"disk", name}}},
//     reads));

#include <list>
#include <map>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"

namespace sheaf {

struct MetricLabel {
    std::string name;
    std::string value;  // anything: escaped where it is shown
    auto operator<=>(const MetricLabel&) const = default;
};

// What a metric is called (Prometheus' rules for names), in one line for people, and what tells it
// from others of that name.
struct MetricIdentity {
    std::string name;
    std::string help;
    std::vector<MetricLabel> labels;
};

// Every member may be called from any thread.
class MetricsRegistry {
    using Metric = std::variant<const Counter*, const Gauge*, const Histogram*>;
    struct Entry {
        std::vector<MetricLabel> labels;
        Metric metric;
    };
    struct Family {
        std::string help;
        std::list<Entry> entries;  // of one kind
    };
    using Families = std::map<std::string, Family, std::less<>>;

  public:
    // Forgets the metric when destroyed. The registry outlives it, it does not outlive the metric.
    class [[nodiscard]] Registration {
      public:
        Registration() = default;
        Registration(Registration&& other) noexcept { *this = std::move(other); }
        Registration& operator=(Registration&& other) noexcept;
        ~Registration();

      private:
        friend class MetricsRegistry;
        MetricsRegistry* registry_ = nullptr;
        Families::iterator family_;
        std::list<Entry>::iterator entry_;
    };

    MetricsRegistry() = default;
    MetricsRegistry(const MetricsRegistry&) = delete;
    MetricsRegistry& operator=(const MetricsRegistry&) = delete;

    // Fails with invalid where a name is not allowed, with exists where the name with these labels
    // is taken, with conflict where metrics of that name are of another kind.
    Result<Registration> add(MetricIdentity identity, const Counter& metric);
    Result<Registration> add(MetricIdentity identity, const Gauge& metric);
    Result<Registration> add(MetricIdentity identity, const Histogram& metric);

    // Everything, in the Prometheus text format 0.0.4, ordered by name.
    std::string text() const;

  private:
    Result<Registration> add_metric(MetricIdentity identity, Metric metric);
    void remove(Registration& registration);

    mutable std::mutex mutex_;
    Families families_;
};

}  // namespace sheaf
