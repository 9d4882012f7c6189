#pragma once

// Why: what is in a pool is reached from open directories, never by a path that another may have
// turned elsewhere meanwhile, and every change of a directory can be made stable.

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace sheaf::pool {

// An open directory. All calls block. Errors name the path.
class Directory {
  public:
    // Fails with not_found, or with invalid where something else is there.
    static Result<Directory> open(const std::string& path);
    // Of a directory below; links are not followed.
    Result<Directory> open_below(std::string_view name) const;
    // Makes it, mode 0700. Fails with exists where anything of this name is there.
    Result<Directory> make_below(std::string_view name) const;

    const std::string& path() const { return path_; }
    const Fd& descriptor() const { return fd_; }
    std::string path_of(std::string_view name) const { return path_ + "/" + std::string{name}; }

    // A regular file; `flags` as of open(2), without following links. Made with mode 0600.
    Result<Fd> open_file(std::string_view name, int flags) const;
    Result<void> make_file(std::string_view name) const;  // empty; may be there already
    // The whole of a small file.
    Result<std::string> read_file(std::string_view name) const;
    // Writes it beside its place, makes it stable and renames it; sync() makes the name stable.
    Result<void> write_file(std::string_view name, std::string_view content) const;

    Result<bool> has(std::string_view name) const;
    Result<std::vector<std::string>> names() const;  // sorted
    // To a name that is not taken (exists), in this or another directory.
    Result<void> rename(std::string_view from, const Directory& to, std::string_view name) const;
    // What is not there is removed already.
    Result<void> remove_file(std::string_view name) const;
    // A directory with the files in it; fails where there are directories in it.
    Result<void> remove_directory(std::string_view name) const;
    Result<void> sync() const;

  private:
    Directory(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

    std::string path_;
    Fd fd_;
};

}  // namespace sheaf::pool
