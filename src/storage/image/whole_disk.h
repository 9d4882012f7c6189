#pragma once

// Why: a disk that does not tell what it holds is read whole; zeros are found by looking.

#include "storage/extents.h"

namespace sheaf::image {

class WholeDisk final : public storage::Extents {
  public:
    explicit WholeDisk(std::uint64_t size) : size_(size) {}

    io::Task<std::vector<storage::Extent>> extents(std::uint64_t offset, std::uint64_t length,
                                                   std::size_t most) override {
        if (offset > size_ || length > size_ - offset)
            co_await fail(Kind::invalid, "{} bytes at {} reach beyond the end at {}", length,
                          offset, size_);
        std::vector<storage::Extent> found;
        if (length > 0 && most > 0) found.push_back({length, storage::Extent::Kind::data});
        co_return found;
    }

  private:
    std::uint64_t size_;
};

}  // namespace sheaf::image
