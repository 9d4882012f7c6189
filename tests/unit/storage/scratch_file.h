#pragma once

// Why: tests of disks need files with a name, gone afterwards, on a file system of their choice.

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "base/fd.h"

namespace sheaf::storage {

class ScratchFile {
  public:
    explicit ScratchFile(std::uint64_t size, const std::string& folder = "/tmp")
        : path_(folder + "/sheaf-test-XXXXXX"), file_(::mkostemp(path_.data(), O_CLOEXEC)) {
        resize(size);
    }
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
    ~ScratchFile() { ::unlink(path_.c_str()); }

    const std::string& path() const { return path_; }
    int number() const { return file_.get(); }
    bool resize(std::uint64_t size) const {
        return ::ftruncate(file_.get(), static_cast<off_t>(size)) == 0;
    }
    // Bytes on the medium, from the page cache.
    std::string content(std::uint64_t offset, std::size_t length) const {
        std::string bytes(length, '?');
        const auto count = ::pread(file_.get(), bytes.data(), length, static_cast<off_t>(offset));
        bytes.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
        return bytes;
    }

  private:
    std::string path_;
    Fd file_;
};

}  // namespace sheaf::storage
