#pragma once

// Why: a few borders that others have drawn (network protocols, foreign disk formats) are
// big-endian. A field of this type has the bytes of the wire and reads as a number; what is a row
// of numbers rather than a structure is loaded and stored one by one.

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <span>

#include "base/bytes.h"

namespace sheaf {

// Has no alignment, so that a structure of them has no padding: see WireStruct in base/bytes.h.
template <std::unsigned_integral T>
class BigEndian {
  public:
    constexpr BigEndian() = default;
    constexpr BigEndian(T value)
        : bytes_(std::bit_cast<std::array<std::byte, sizeof(T)>>(std::byteswap(value))) {}
    constexpr operator T() const { return std::byteswap(std::bit_cast<T>(bytes_)); }

  private:
    std::array<std::byte, sizeof(T)> bytes_{};
};

// The first sizeof(T) bytes; the caller has checked the length.
template <std::unsigned_integral T>
T load_big(std::span<const std::byte> bytes) {
    return load<BigEndian<T>>(bytes);
}
template <std::unsigned_integral T>
void store_big(std::span<std::byte> bytes, T value) {
    store(bytes, BigEndian<T>{value});
}

}  // namespace sheaf
