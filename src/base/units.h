#pragma once

// Why: an address, a byte count and a sector number are different things, and the compiler should
// say so. Strong<Tag, T> is a number that mixes only with its own kind.

#include <compare>
#include <concepts>
#include <cstdint>
#include <optional>

namespace sheaf {

template <class Tag, std::unsigned_integral T>
class Strong {
  public:
    constexpr Strong() = default;
    constexpr explicit Strong(T value) : value_(value) {}
    constexpr T value() const { return value_; }
    constexpr auto operator<=>(const Strong&) const = default;

    // Moves by a plain amount; wraps like the number inside (use checked_add for guest input).
    constexpr Strong operator+(T amount) const { return Strong{static_cast<T>(value_ + amount)}; }
    constexpr T operator-(Strong other) const { return static_cast<T>(value_ - other.value_); }

  private:
    T value_ = 0;
};

// A guest physical address, in bytes.
using Gpa = Strong<struct GpaTag, std::uint64_t>;

constexpr std::uint64_t operator""_KiB(unsigned long long count) {
    return count << 10;
}
constexpr std::uint64_t operator""_MiB(unsigned long long count) {
    return count << 20;
}
constexpr std::uint64_t operator""_GiB(unsigned long long count) {
    return count << 30;
}

// Sum or nothing when it does not fit.
template <std::unsigned_integral T>
constexpr std::optional<T> checked_add(T left, T right) {
    T sum;
    if (__builtin_add_overflow(left, right, &sum)) return std::nullopt;
    return sum;
}

// Product or nothing when it does not fit.
template <std::unsigned_integral T>
constexpr std::optional<T> checked_multiply(T left, T right) {
    T product;
    if (__builtin_mul_overflow(left, right, &product)) return std::nullopt;
    return product;
}

// `alignment` is a power of two.
template <std::unsigned_integral T>
constexpr T align_up(T value, T alignment) {
    return (value + alignment - 1) & ~(alignment - 1);
}
template <std::unsigned_integral T>
constexpr T align_down(T value, T alignment) {
    return value & ~(alignment - 1);
}

}  // namespace sheaf
