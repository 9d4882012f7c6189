#pragma once

// Why: tests of the qcow2 reader need images that no honest program writes: they are put together
// by hand, byte for byte.

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/big_endian.h"

namespace sheaf::image {

// A qcow2 file of 4 KiB clusters in memory: header in cluster 0, L1 table in cluster 1, the first
// L2 table in cluster 2, the rest free.
class ImageBytes {
  public:
    static constexpr std::uint64_t cluster = 4096;

    explicit ImageBytes(std::uint64_t disk_size, std::uint32_t version = 3,
                        std::uint64_t clusters = 8)
        : bytes_(clusters * cluster) {
        constexpr std::string_view magic = "QFI\xfb";
        std::ranges::copy(sheaf::as_bytes(magic), bytes_.begin());
        word(4, version).word(20, 12).number(24, disk_size);
        const auto coverage = cluster / 8 * cluster;
        word(36, static_cast<std::uint32_t>((disk_size + coverage - 1) / coverage));
        number(40, cluster);
        if (version == 3) word(96, 4).word(100, 104);
    }

    ImageBytes& word(std::uint64_t at, std::uint32_t value) {
        store_big(std::span{bytes_}.subspan(at), value);
        return *this;
    }
    ImageBytes& number(std::uint64_t at, std::uint64_t value) {
        store_big(std::span{bytes_}.subspan(at), value);
        return *this;
    }
    ImageBytes& l1(std::uint64_t index, std::uint64_t value) {
        return number(cluster + index * 8, value);
    }
    ImageBytes& l2(std::uint64_t index, std::uint64_t value) {
        return number(2 * cluster + index * 8, value);
    }
    ImageBytes& fill(std::uint64_t at, std::uint64_t length, char letter) {
        std::ranges::fill_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at),
                            static_cast<std::ptrdiff_t>(length), static_cast<std::byte>(letter));
        return *this;
    }
    ImageBytes& put(std::uint64_t at, std::span<const std::byte> from) {
        std::ranges::copy(from, bytes_.begin() + static_cast<std::ptrdiff_t>(at));
        return *this;
    }
    ImageBytes& resize(std::uint64_t size) {
        bytes_.resize(size);
        return *this;
    }

    const std::vector<std::byte>& bytes() const { return bytes_; }

  private:
    std::vector<std::byte> bytes_;
};

}  // namespace sheaf::image
