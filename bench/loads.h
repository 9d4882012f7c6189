// The loads that the probe `blk` offers a disk, and that of a disk which must be durable, for
// programs of the host that measure the same: words, names and printed lines are the probe's.
#pragma once

#include <sys/mman.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace bench {

using Clock = std::chrono::steady_clock;

enum class Direction { read, write, durable_write };  // durable: each is flushed before the next
enum class Order { random, sequential };

struct Load {
    std::string_view name;
    Direction direction;
    unsigned bytes;
    unsigned depth;
    Order order;
};

inline constexpr unsigned most_depth = 32;
inline constexpr std::size_t most_bytes = 128 << 10;

// Memory for all requests, filled. As a guest's it is of huge pages: few pieces a request.
class Buffers {
  public:
    Buffers() {
        ::madvise(bytes_.get(), size, MADV_HUGEPAGE);
        std::memset(bytes_.get(), 0x5a, size);
    }
    std::byte* of(unsigned slot) const { return bytes_.get() + slot * most_bytes; }

    static constexpr std::size_t size = most_depth * most_bytes;

  private:
    static constexpr std::size_t huge_page = 2 << 20;
    std::unique_ptr<std::byte, void (*)(void*)> bytes_{
        static_cast<std::byte*>(std::aligned_alloc(huge_page, size)), std::free};
};

inline constexpr auto loads = std::to_array<Load>({
    {"randread_qd1", Direction::read, 4096, 1, Order::random},
    {"randread_qd32", Direction::read, 4096, 32, Order::random},
    {"randwrite_qd1", Direction::write, 4096, 1, Order::random},
    {"randwrite_qd32", Direction::write, 4096, 32, Order::random},
    {"read_128k", Direction::read, most_bytes, 32, Order::sequential},
    {"write_128k", Direction::write, most_bytes, 32, Order::sequential},
    {"durable_write_qd1", Direction::durable_write, 4096, 1, Order::random},
});

// PROGRAM PLACE... [test=NAME,...] [ms=N] [region_mib=N] [snapshots=N] [chunks=N]
struct Options {
    std::string_view tests;
    std::uint64_t milliseconds = 500;
    std::uint64_t region = 256 << 20;
    std::uint64_t snapshots = 0;
    std::uint64_t chunks = 0;

    bool wants(std::string_view load) const { return tests.empty() || names(load); }
    bool names(std::string_view load) const {
        return ("," + std::string{tests} + ",").contains("," + std::string{load} + ",");
    }
};

inline Options parse(int count, char** words) {
    Options options;
    for (int i = 2; i < count; ++i) {
        const std::string_view word = words[i];
        const std::string_view value = word.substr(word.find('=') + 1);
        const auto number = std::strtoull(value.data(), nullptr, 10);
        if (word.starts_with("test=")) options.tests = value;
        if (word.starts_with("ms=")) options.milliseconds = number;
        if (word.starts_with("region_mib=")) options.region = number << 20;
        if (word.starts_with("snapshots=")) options.snapshots = number;
        if (word.starts_with("chunks=")) options.chunks = number;
    }
    return options;
}

inline void print(std::string_view name, std::uint64_t requests, Clock::duration time) {
    const auto ns = std::chrono::nanoseconds{time}.count();
    std::printf("metric %.*s iops=%lu ops=%lu ns=%ld\n", static_cast<int>(name.size()), name.data(),
                requests * 1'000'000 / static_cast<std::uint64_t>(ns / 1000), requests, ns);
}

}  // namespace bench
