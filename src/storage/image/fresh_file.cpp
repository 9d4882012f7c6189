#include "storage/image/fresh_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace sheaf::image {

namespace {

constexpr std::size_t longest_stem = 200;
constexpr auto mode = 0666;  // what is exported is for others; the person's umask decides

Failure taken(const std::string& path) {
    return fail(Kind::exists, "{} is there already", path);
}

}  // namespace

Result<FreshFile> FreshFile::create(const std::string& path, Existing existing) {
    const auto whole = std::filesystem::path{path};
    if (!whole.has_filename()) return fail(Kind::invalid, "{} is not the name of a file", path);
    const auto parent = whole.has_parent_path() ? whole.parent_path().string() : ".";
    auto folder = TRY(checked_fd(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                                 "opening the directory {}", parent));
    struct stat status{};
    if (::fstatat(folder.get(), whole.filename().c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
        if (existing == Existing::refuse) return taken(path);
        if (!S_ISREG(status.st_mode)) return fail(Kind::invalid, "{} is no regular file", path);
    }
    FreshFile file{std::move(folder), path, existing};
    TRY_WITHIN(file.make(), "making {}", path);
    return file;
}

FreshFile::FreshFile(Fd folder, std::string path, Existing existing)
    : folder_(std::move(folder)),
      path_(std::move(path)),
      name_(std::filesystem::path{path_}.filename()),
      existing_(existing) {}

FreshFile::~FreshFile() {
    if (folder_ && !temporary_.empty()) ::unlinkat(folder_.get(), temporary_.c_str(), 0);
}

std::string FreshFile::temporary_name() const {
    return fmt::format(".{}.{}", name_.substr(0, longest_stem), ::getpid());
}

// Without any name where the file system can do that: then not even a kill leaves anything.
Result<void> FreshFile::make() {
    file_.reset(::openat(folder_.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode));
    if (file_) return {};
    const auto temporary = temporary_name();
    file_ = TRY(checked_fd(
        ::openat(folder_.get(), temporary.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode),
        "making a file beside it"));
    temporary_ = temporary;
    return {};
}

// A further name for the file; EEXIST is left in errno where it is taken.
int FreshFile::link(const std::string& name) const {
    if (!temporary_.empty())
        return ::linkat(folder_.get(), temporary_.c_str(), folder_.get(), name.c_str(), 0);
    const auto self = fmt::format("/proc/self/fd/{}", file_.get());
    return ::linkat(AT_FDCWD, self.c_str(), folder_.get(), name.c_str(), AT_SYMLINK_FOLLOW);
}

Result<void> FreshFile::give_name() {
    if (existing_ == Existing::refuse) {
        if (link(name_) == 0) return {};
        if (errno == EEXIST) return taken(path_);
        return fail_os(errno, "naming {}", path_);
    }
    if (temporary_.empty()) {
        const auto temporary = temporary_name();
        TRY(checked(link(temporary), "naming {}", path_));
        temporary_ = temporary;
    }
    TRY(checked(::renameat(folder_.get(), temporary_.c_str(), folder_.get(), name_.c_str()),
                "naming {}", path_));
    temporary_.clear();
    return {};
}

Result<void> FreshFile::keep() {
    TRY(checked(::fsync(file_.get()), "making {} stable", path_));
    TRY(give_name());
    TRY(checked(::fsync(folder_.get()), "making the name of {} stable", path_));
    return {};
}

}  // namespace sheaf::image
