#pragma once

// Why: what is sent is put together piece by piece: structures, numbers, text.

#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace sheaf::nbd {

class WireBuffer {
  public:
    template <WireStruct T>
    void put(const T& value) {
        put_bytes(bytes_of(value));
    }
    void put_text(std::string_view text) { put_bytes(as_bytes(text)); }
    void put_bytes(std::span<const std::byte> bytes) {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }

    std::span<const std::byte> bytes() const { return bytes_; }
    std::span<std::byte> bytes() { return bytes_; }
    std::size_t size() const { return bytes_.size(); }
    void clear() { bytes_.clear(); }

  private:
    std::vector<std::byte> bytes_;
};

}  // namespace sheaf::nbd
