#pragma once

// Why: what an operator watches is counted where it happens, for the price of one relaxed atomic
// operation. The object that counts owns its metric; the registry (metrics_registry.h) only knows
// where to read it.

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

namespace sheaf {

// Only goes up. Any thread.
class Counter {
  public:
    void add(std::uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

// Goes up and down. Any thread.
class Gauge {
  public:
    void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
    void add(std::int64_t amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
    std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::int64_t> value_{0};
};

// Counts observations into fixed buckets. Any thread; a reader may see an observation in its bucket
// before it sees it in the sum.
class Histogram {
  public:
    // The upper bounds of the buckets, ascending; one more bucket takes all above. The unit is
    // the user's and belongs into the metric's name (seconds, bytes).
    explicit Histogram(std::vector<double> bounds);

    void observe(double value);

    std::span<const double> bounds() const { return bounds_; }
    // Observations in bucket `index` alone; index bounds().size() is the one above all bounds.
    std::uint64_t count(std::size_t index) const;
    double sum() const { return sum_.load(std::memory_order_relaxed); }

  private:
    std::vector<double> bounds_;
    std::vector<std::atomic<std::uint64_t>> counts_;
    std::atomic<double> sum_{0};
};

}  // namespace sheaf
