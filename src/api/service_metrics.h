#pragma once

// Why: how the API is used and how long it takes is what an operator looks at first. Beside it
// stands what the process itself takes.

#include <map>
#include <string>

#include "base/metrics_registry.h"
#include "io/loop.h"

namespace sheaf::api {

// Loop thread only. The registry outlives it.
class ServiceMetrics {
  public:
    explicit ServiceMetrics(MetricsRegistry& registry);

    // A request that has ended: "get", "list", ... or "other", and its status, 0 where the client
    // went before it had one.
    void note(std::string_view verb, unsigned status, io::Duration took);
    // Watches that go on.
    Gauge& watches() { return watches_; }

    // All metrics as Prometheus' text, those of the process included. Reads /proc.
    std::string text() const;

  private:
    // What is shown as long as it is kept.
    struct Count {
        Counter counter;
        MetricsRegistry::Registration known;
    };
    struct Time {
        explicit Time(std::vector<double> bounds) : seconds(std::move(bounds)) {}
        Histogram seconds;
        MetricsRegistry::Registration known;
    };
    Time& time_of(std::string_view verb);

    MetricsRegistry& registry_;
    std::map<std::pair<std::string, unsigned>, Count, std::less<>> requests_;
    std::map<std::string, Time, std::less<>> times_;
    Gauge watches_;
    MetricsRegistry::Registration watches_known_;
};

}  // namespace sheaf::api
