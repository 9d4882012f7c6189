#pragma once

// Why: everything that crosses a border (guest, disk, wire, kernel image) is little-endian bytes of
// unknown alignment. This is the one place that turns bytes into numbers and structures and back.

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/result.h"

namespace sheaf {

static_assert(std::endian::native == std::endian::little, "Sheaf runs on little-endian hosts");

// A structure that may be copied byte for byte: no padding to leak, and no view of bytes elsewhere,
// which would be copied as a pointer.
template <class T>
concept WireStruct =
    std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T> &&
    !std::is_pointer_v<T> && !std::ranges::borrowed_range<T>;

inline std::span<const std::byte> as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
// Bytes as libraries of C take them.
inline const unsigned char* octets(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* octets(std::span<std::byte> bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}
template <WireStruct T>
std::span<const std::byte> bytes_of(const T& value) {
    return std::as_bytes(std::span{&value, 1});
}

// The first sizeof(T) bytes as a T; the caller has checked the length.
template <WireStruct T>
T load(std::span<const std::byte> bytes) {
    T value;
    std::memcpy(&value, bytes.first(sizeof(T)).data(), sizeof(T));
    return value;
}
template <WireStruct T>
void store(std::span<std::byte> bytes, const T& value) {
    std::memcpy(bytes.first(sizeof(T)).data(), &value, sizeof(T));
}

// A register access of 1 to 8 bytes as a number, zero-extended; longer spans are cut.
inline std::uint64_t load_register(std::span<const std::byte> bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), std::min<std::size_t>(bytes.size(), sizeof(value)));
    return value;
}
// The low bytes of value into a register access; bytes beyond eight become zero.
inline void store_register(std::span<std::byte> bytes, std::uint64_t value) {
    std::ranges::fill(bytes, std::byte{0});
    std::memcpy(bytes.data(), &value, std::min<std::size_t>(bytes.size(), sizeof(value)));
}

// Walks forward over bytes that may be too short; every step is checked.
class ByteReader {
  public:
    explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

    std::span<const std::byte> rest() const { return rest_; }

    Result<std::span<const std::byte>> take(std::size_t length) {
        if (length > rest_.size())
            return fail(Kind::corrupt, "needs {} bytes, has {}", length, rest_.size());
        auto taken = rest_.first(length);
        rest_ = rest_.subspan(length);
        return taken;
    }

    template <WireStruct T>
    Result<T> take() {
        return load<T>(TRY(take(sizeof(T))));
    }

  private:
    std::span<const std::byte> rest_;
};

}  // namespace sheaf
