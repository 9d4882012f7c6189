#include "api/service_metrics.h"

#include "api/process_metrics.h"

namespace sheaf::api {

namespace {

// Seconds: from what a small object takes to what somebody would complain of.
std::vector<double> bounds() {
    return {0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5};
}

// What is named by constants is allowed, and new.
MetricsRegistry::Registration known(Result<MetricsRegistry::Registration> added) {
    return std::move(added).value();
}

}  // namespace

ServiceMetrics::ServiceMetrics(MetricsRegistry& registry)
    : registry_(registry),
      watches_known_(
          known(registry.add({"sheaf_api_watches", "Watches that go on.", {}}, watches_))) {}

ServiceMetrics::Time& ServiceMetrics::time_of(std::string_view verb) {
    if (const auto found = times_.find(verb); found != times_.end()) return found->second;
    auto& made = times_.try_emplace(std::string{verb}, bounds()).first->second;
    made.known = known(registry_.add({"sheaf_api_request_duration_seconds",
                                      "From the end of a request to the end of its answer.",
                                      {{"verb", std::string{verb}}}},
                                     made.seconds));
    return made;
}

void ServiceMetrics::note(std::string_view verb, unsigned status, io::Duration took) {
    const auto [found, is_new] = requests_.try_emplace({std::string{verb}, status});
    auto& count = found->second;
    if (is_new)
        count.known = known(
            registry_.add({"sheaf_api_requests_total",
                           "Requests that were answered.",
                           {{"verb", std::string{verb}}, {"code", fmt::format("{}", status)}}},
                          count.counter));
    count.counter.add();
    // How long a watch goes on is up to the client.
    if (verb != "watch" && verb != "console" && verb != "log")
        time_of(verb).seconds.observe(std::chrono::duration<double>{took}.count());
}

std::string ServiceMetrics::text() const {
    return registry_.text() + process_metrics();
}

}  // namespace sheaf::api
