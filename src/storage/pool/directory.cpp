#include "storage/pool/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace sheaf::pool {

namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr std::size_t small_file = 64 * 1024;

struct CloseDirectory {
    void operator()(DIR* stream) const { ::closedir(stream); }
};

}  // namespace

Result<Directory> Directory::open(const std::string& path) {
    const auto number = ::open(path.c_str(), directory_flags);
    if (number >= 0) return Directory{path, Fd{number}};
    switch (errno) {
        case ENOENT: return fail(Kind::not_found, "{} does not exist", path);
        case ENOTDIR: return fail(Kind::invalid, "{} is not a directory", path);
        default: return fail_os(errno, "{}", path);
    }
}

Result<Directory> Directory::open_below(std::string_view name) const {
    auto path = path_of(name);
    const auto number =
        ::openat(fd_.get(), std::string{name}.c_str(), directory_flags | O_NOFOLLOW);
    if (number >= 0) return Directory{std::move(path), Fd{number}};
    if (errno == ENOTDIR || errno == ELOOP)
        return fail(Kind::invalid, "{} is not a directory", path);
    return fail_os(errno, "{}", path);
}

Result<Directory> Directory::make_below(std::string_view name) const {
    TRY(checked(::mkdirat(fd_.get(), std::string{name}.c_str(), 0700), "making {}", path_of(name)));
    return open_below(name);
}

Result<Fd> Directory::open_file(std::string_view name, int flags) const {
    // Without waiting, for a pipe in a file's place would never open.
    auto file = TRY(checked_fd(::openat(fd_.get(), std::string{name}.c_str(),
                                        flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600),
                               "{}", path_of(name)));
    struct stat status{};
    TRY(checked(::fstat(file.get(), &status), "{}", path_of(name)));
    if (!S_ISREG(status.st_mode))
        return fail(Kind::corrupt, "{} is not a regular file", path_of(name));
    TRY(checked(::fcntl(file.get(), F_SETFL, flags & O_APPEND), "{}", path_of(name)));
    return file;
}

Result<void> Directory::make_file(std::string_view name) const {
    TRY(open_file(name, O_WRONLY | O_CREAT));
    return {};
}

Result<std::string> Directory::read_file(std::string_view name) const {
    const auto file = TRY(open_file(name, O_RDONLY));
    std::string content(small_file + 1, '\0');
    std::size_t length = 0;
    while (length < content.size()) {
        const auto count = ::pread(file.get(), content.data() + length, content.size() - length,
                                   static_cast<off_t>(length));
        if (count < 0) return fail_os(errno, "reading {}", path_of(name));
        if (count == 0) break;
        length += static_cast<std::size_t>(count);
    }
    if (length > small_file)
        return fail(Kind::corrupt, "{} has more than {} bytes", path_of(name), small_file);
    content.resize(length);
    return content;
}

Result<void> Directory::write_file(std::string_view name, std::string_view content) const {
    const auto beside = "." + std::string{name} + ".new";
    {
        const auto file = TRY(open_file(beside, O_WRONLY | O_CREAT | O_TRUNC));
        const auto count = ::write(file.get(), content.data(), content.size());
        if (count != static_cast<ssize_t>(content.size()))
            return fail_os(count < 0 ? errno : ENOSPC, "writing {}", path_of(name));
        TRY(checked(::fsync(file.get()), "writing {}", path_of(name)));
    }
    TRY(checked(::renameat(fd_.get(), beside.c_str(), fd_.get(), std::string{name}.c_str()),
                "writing {}", path_of(name)));
    return {};
}

Result<bool> Directory::has(std::string_view name) const {
    struct stat status{};
    if (::fstatat(fd_.get(), std::string{name}.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    if (errno == ENOENT) return false;
    return fail_os(errno, "{}", path_of(name));
}

// By a description of its own, for reading moves the position in it.
Result<std::vector<std::string>> Directory::names() const {
    auto own = TRY(checked_fd(::openat(fd_.get(), ".", directory_flags), "reading {}", path_));
    const std::unique_ptr<DIR, CloseDirectory> stream{::fdopendir(own.get())};
    if (!stream) return fail_os(errno, "reading {}", path_);
    static_cast<void>(own.release());  // the stream's now
    std::vector<std::string> names;
    while (true) {
        errno = 0;
        const auto* const entry = ::readdir(stream.get());
        if (!entry && errno != 0) return fail_os(errno, "reading {}", path_);
        if (!entry) break;
        auto name = std::string{static_cast<const char*>(entry->d_name)};
        if (name != "." && name != "..") names.push_back(std::move(name));
    }
    std::ranges::sort(names);
    return names;
}

Result<void> Directory::rename(std::string_view from, const Directory& to,
                               std::string_view name) const {
    if (::renameat2(fd_.get(), std::string{from}.c_str(), to.fd_.get(), std::string{name}.c_str(),
                    RENAME_NOREPLACE) == 0)
        return {};
    return fail_os(errno, "renaming {} to {}", path_of(from), to.path_of(name));
}

Result<void> Directory::remove_file(std::string_view name) const {
    if (::unlinkat(fd_.get(), std::string{name}.c_str(), 0) == 0 || errno == ENOENT) return {};
    return fail_os(errno, "removing {}", path_of(name));
}

// Two may remove the same one.
Result<void> Directory::remove_directory(std::string_view name) const {
    auto below = open_below(name);
    if (!below && below.error().kind() == Kind::not_found) return {};
    if (!below) return Failure{std::move(below).error()};
    for (const auto& file : TRY(below->names())) TRY(below->remove_file(file));
    if (::unlinkat(fd_.get(), std::string{name}.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT)
        return {};
    return fail_os(errno, "removing {}", path_of(name));
}

Result<void> Directory::sync() const {
    TRY(checked(::fsync(fd_.get()), "making {} stable", path_));
    return {};
}

}  // namespace sheaf::pool
