#pragma once

// Why: an export is there whole or not at all, however it ends.

#include <string>

#include "base/fd.h"

namespace sheaf::image {

enum class Existing : std::uint8_t { refuse, replace };

// A new file that has no name of its own until keep(); what is not kept is gone. All calls block.
class FreshFile {
  public:
    // For a file at `path`. Fails with exists where something is there that may not be replaced.
    static Result<FreshFile> create(const std::string& path, Existing existing);
    FreshFile(FreshFile&&) noexcept = default;
    FreshFile& operator=(FreshFile&&) = delete;
    ~FreshFile();

    const Fd& descriptor() const { return file_; }
    // Makes content and name stable. Fails with exists where another was faster.
    Result<void> keep();

  private:
    FreshFile(Fd folder, std::string path, Existing existing);
    Result<void> make();
    std::string temporary_name() const;
    int link(const std::string& name) const;
    Result<void> give_name();

    Fd folder_;
    std::string path_;
    std::string name_;       // in the folder
    std::string temporary_;  // where it has one: in the folder
    Existing existing_;
    Fd file_;
};

}  // namespace sheaf::image
