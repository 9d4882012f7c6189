#pragma once

// Why: clusters are compressed by strangers. What comes out is never longer than asked for, and the
// memory that it takes does not depend on what the stream says.

#include <cstddef>
#include <memory>
#include <span>

#include "storage/image/qcow2_header.h"

namespace sheaf::image {

class Decompressor {
  public:
    // Fails with exhausted.
    static Result<std::unique_ptr<Decompressor>> create(Compression compression);
    Decompressor() = default;
    Decompressor(const Decompressor&) = delete;
    Decompressor& operator=(const Decompressor&) = delete;
    virtual ~Decompressor() = default;

    // Fills `into` with the beginning of what `from` expands to; what follows in `from` is not
    // looked at. Fails with corrupt where that is not enough, or no stream.
    virtual Result<void> expand(std::span<const std::byte> from, std::span<std::byte> into) = 0;
};

}  // namespace sheaf::image
