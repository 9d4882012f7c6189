#pragma once

// Why: qcow2 is big-endian. Its tables are rows of numbers, not structures of base/big_endian.h.

#include <bit>
#include <concepts>
#include <cstddef>
#include <span>

#include "base/bytes.h"

namespace sheaf::image {

template <std::unsigned_integral T>
T load_big(std::span<const std::byte> bytes) {
    return std::byteswap(load<T>(bytes));
}
template <std::unsigned_integral T>
void store_big(std::span<std::byte> bytes, T value) {
    store(bytes, std::byteswap(value));
}

}  // namespace sheaf::image
