#pragma once

// Why: what a reader expands, tests have to compress first, as QEMU does.

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include <cstddef>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace sheaf::image {

// Text that becomes much shorter.
inline std::vector<std::byte> letters(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t at = 0; at < size; ++at) bytes[at] = std::byte('a' + at / 64 % 26);
    return bytes;
}

inline std::vector<std::byte> deflated(std::span<const std::byte> bytes, int window_bits = -12) {
    std::vector<std::byte> out(bytes.size() + 256);
    z_stream stream{};
    EXPECT_EQ(::deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = octets(bytes);
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = octets(std::span{out});
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    ::deflateEnd(&stream);
    return out;
}

inline std::vector<std::byte> zstandard(std::span<const std::byte> bytes) {
    std::vector<std::byte> out(ZSTD_compressBound(bytes.size()));
    out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
    return out;
}

}  // namespace sheaf::image
