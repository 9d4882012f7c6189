#include "base/metrics_registry.h"

#include <optional>

#include <gtest/gtest.h>

namespace sheaf {
namespace {

TEST(MetricsRegistry, WritesThePrometheusTextFormat) {
    auto registry = MetricsRegistry{};
    auto reads = Counter{};
    auto writes = Counter{};
    auto used = Gauge{};
    const auto first = registry.add(
        {"sheaf_requests_total", "Requests.", {{"kind", "read"}, {"disk", "a\"b\\c\nd"}}}, reads);
    const auto second =
        registry.add({"sheaf_requests_total", "Requests.", {{"kind", "write"}}}, writes);
    const auto third = registry.add({"sheaf_memory_bytes", "Memory in use.", {}}, used);
    ASSERT_TRUE(first && second && third);
    reads.add(3);
    used.set(-1);
    EXPECT_EQ(registry.text(),
              "# HELP sheaf_memory_bytes Memory in use.\n"
              "# TYPE sheaf_memory_bytes gauge\n"
              "sheaf_memory_bytes -1\n"
              "# HELP sheaf_requests_total Requests.\n"
              "# TYPE sheaf_requests_total counter\n"
              "sheaf_requests_total{disk=\"a\\\"b\\\\c\\nd\",kind=\"read\"} 3\n"
              "sheaf_requests_total{kind=\"write\"} 0\n");
}

TEST(MetricsRegistry, HistogramsAreCumulative) {
    auto registry = MetricsRegistry{};
    auto latency = Histogram{{0.25, 1}};
    const auto known = registry.add({"wait_seconds", "Waiting.", {{"disk", "vda"}}}, latency);
    ASSERT_TRUE(known);
    for (const double value : {0.25, 0.5, 4.0}) latency.observe(value);
    EXPECT_EQ(registry.text(),
              "# HELP wait_seconds Waiting.\n"
              "# TYPE wait_seconds histogram\n"
              "wait_seconds_bucket{disk=\"vda\",le=\"0.25\"} 1\n"
              "wait_seconds_bucket{disk=\"vda\",le=\"1\"} 2\n"
              "wait_seconds_bucket{disk=\"vda\",le=\"+Inf\"} 3\n"
              "wait_seconds_sum{disk=\"vda\"} 4.75\n"
              "wait_seconds_count{disk=\"vda\"} 3\n");
}

TEST(MetricsRegistry, AMetricIsSeenAsLongAsItsRegistrationLives) {
    auto registry = MetricsRegistry{};
    auto counter = Counter{};
    {
        auto outer = MetricsRegistry::Registration{};
        {
            auto inner = registry.add({"c", "", {}}, counter);
            ASSERT_TRUE(inner);
            outer = *std::move(inner);
        }
        EXPECT_NE(registry.text(), "");
    }
    EXPECT_EQ(registry.text(), "");
    auto gauge = Gauge{};
    EXPECT_TRUE(registry.add({"c", "", {}}, gauge)) << "the name is free again, for any kind";
}

TEST(MetricsRegistry, RefusesNamesThatAreTakenOrAreNone) {
    auto registry = MetricsRegistry{};
    auto counter = Counter{};
    auto gauge = Gauge{};
    const auto known = registry.add({"c", "", {{"x", "1"}, {"y", "2"}}}, counter);
    ASSERT_TRUE(known);
    const auto kind_of = [&](MetricIdentity identity, const auto& metric) {
        const auto result = registry.add(std::move(identity), metric);
        return result ? std::nullopt : std::optional{result.error().kind()};
    };
    EXPECT_EQ(kind_of({"c", "", {{"y", "2"}, {"x", "1"}}}, counter), Kind::exists);
    EXPECT_EQ(kind_of({"c", "", {{"x", "3"}}}, gauge), Kind::conflict);
    EXPECT_EQ(kind_of({"c", "", {{"x", "3"}}}, counter), std::nullopt);
    for (const auto* bad : {"", "1a", "a b", "a\n", "a{}"})
        EXPECT_EQ(kind_of({bad, "", {}}, counter), Kind::invalid);
    EXPECT_EQ(kind_of({"d", "", {{"a-b", ""}}}, counter), Kind::invalid);
    EXPECT_EQ(kind_of({"d", "", {{"le", ""}}}, counter), Kind::invalid);
}

}  // namespace
}  // namespace sheaf
