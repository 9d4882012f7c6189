#pragma once

// Why: a raw image is mostly holes, and its file system knows where.

#include "base/fd.h"
#include "storage/extents.h"

namespace sheaf::image {

// The holes of a raw file of `size` bytes; where its file system does not tell, all of it is data.
class FileExtents final : public storage::Extents {
  public:
    FileExtents(Fd file, std::uint64_t size) : file_(std::move(file)), size_(size) {}

    io::Task<std::vector<storage::Extent>> extents(std::uint64_t offset, std::uint64_t length,
                                                   std::size_t most) override;

  private:
    Result<storage::Extent> extent_at(std::uint64_t offset, std::uint64_t end) const;

    Fd file_;
    std::uint64_t size_;
};

}  // namespace sheaf::image
