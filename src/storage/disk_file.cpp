#include "storage/disk_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace sheaf::storage {

namespace {

constexpr std::uint32_t sector = 512;

// A person's words for why a disk cannot be opened.
Failure open_failure(const std::string& path, int os_error) {
    switch (os_error) {
        case ENOENT:
        case ENOTDIR: return fail(Kind::not_found, "disk {}: does not exist", path);
        case EISDIR: return fail(Kind::invalid, "disk {}: is a directory", path);
        case EACCES:
        case EPERM: return fail(Kind::denied, "disk {}: no permission to open it", path);
        case EROFS:
            return fail(Kind::denied, "disk {}: lies on a read-only file system; add readonly",
                        path);
        case EBUSY:
            return fail(Kind::conflict,
                        "disk {}: in use by the host (mounted, or part of another device)", path);
        default: return fail_os(os_error, "disk {}", path);
    }
}

Result<void> check_kind(const std::string& path, const struct stat& status) {
    if (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode)) return {};
    if (S_ISDIR(status.st_mode)) return fail(Kind::invalid, "disk {}: is a directory", path);
    return fail(Kind::invalid, "disk {}: is neither a regular file nor a block device", path);
}

// An open-file-description lock over the whole file: it belongs to the open file, so it passes to
// the process that inherits the descriptor, and it meets QEMU's locks too.
Result<void> lock_file(const std::string& path, const Fd& disk, Access access) {
    struct flock range{};
    range.l_type = access == Access::read_only ? F_RDLCK : F_WRLCK;
    range.l_whence = SEEK_SET;
    if (::fcntl(disk.get(), F_OFD_SETLK, &range) == 0) return {};
    if (errno == EAGAIN || errno == EACCES)
        return fail(Kind::conflict, "disk {}: in use by another process", path);
    return fail_os(errno, "disk {}: locking it", path);
}

Result<void> check_size(const std::string& path, const Fd& disk) {
    const auto size = TRY_WITHIN(size_of(disk), "disk {}", path);
    if (size == 0) return fail(Kind::invalid, "disk {}: is empty", path);
    if (size % sector != 0)
        return fail(Kind::invalid, "disk {}: its size of {} bytes is not a multiple of {}", path,
                    size, sector);
    return {};
}

// Whether one sector can be read past the page cache; file systems that do not say so are asked. An
// empty file gives no answer: there the kernel's word has to do.
bool reads_direct(const Fd& disk) {
    alignas(4096) std::array<std::byte, sector> buffer;
    const auto count = ::pread(disk.get(), buffer.data(), buffer.size(), 0);
    if (count != 0) return count == sector;
    struct statx status{};
    return ::statx(disk.get(), "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) == 0 &&
           (status.stx_mask & STATX_DIOALIGN) != 0;
}

// Opens and locks what is a regular file or a block device.
Result<Fd> open_locked(const std::string& path, Access access) {
    // Looked at before it is opened: opening a pipe or a terminal has effects.
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return open_failure(path, errno);
    TRY(check_kind(path, status));

    int flags = O_CLOEXEC | O_NONBLOCK | (access == Access::read_only ? O_RDONLY : O_RDWR);
    // For a block device this asks the kernel for the exclusive claim that mounting takes too.
    if (S_ISBLK(status.st_mode) && access == Access::read_write) flags |= O_EXCL;
    const auto number = ::open(path.c_str(), flags);
    if (number < 0) return open_failure(path, errno);
    Fd disk{number};
    if (::fstat(disk.get(), &status) != 0) return fail_os(errno, "disk {}", path);
    TRY(check_kind(path, status));
    TRY_WITHIN(checked(::fcntl(disk.get(), F_SETFL, 0), "clearing flags"), "disk {}", path);
    TRY(lock_file(path, disk, access));
    return disk;
}

}  // namespace

Result<Fd> open_disk(const std::string& path, Access access) {
    auto disk = TRY(open_locked(path, access));
    TRY(check_size(path, disk));
    TRY_WITHIN(prefer_direct(disk), "disk {}", path);
    return disk;
}

Result<Fd> open_buffered(const std::string& path) {
    return open_locked(path, Access::read_only);
}

// A disk that can only be moved in larger units stays buffered: its guest was promised sectors of
// 512 bytes.
Result<void> prefer_direct(const Fd& disk) {
    const auto flags = TRY(checked(::fcntl(disk.get(), F_GETFL), "reading flags"));
    if (::fcntl(disk.get(), F_SETFL, flags | O_DIRECT) != 0) return {};
    const auto alignment = alignment_of(disk);
    if (alignment && alignment->offset <= sector && reads_direct(disk)) return {};
    TRY(checked(::fcntl(disk.get(), F_SETFL, flags), "setting flags"));
    return {};
}

Result<std::uint64_t> size_of(const Fd& disk) {
    struct stat status{};
    TRY(checked(::fstat(disk.get(), &status), "reading its size"));
    if (!S_ISBLK(status.st_mode)) return static_cast<std::uint64_t>(status.st_size);
    std::uint64_t size = 0;
    TRY(checked(::ioctl(disk.get(), BLKGETSIZE64, &size), "reading its size"));
    return size;
}

Result<Alignment> alignment_of(const Fd& disk) {
    const auto flags = TRY(checked(::fcntl(disk.get(), F_GETFL), "reading flags"));
    if (!(flags & O_DIRECT)) return Alignment{};
    struct statx status{};
    TRY(checked(::statx(disk.get(), "", AT_EMPTY_PATH, STATX_TYPE | STATX_DIOALIGN, &status),
                "reading the alignment of direct transfers"));
    if (status.stx_mask & STATX_DIOALIGN) {
        if (status.stx_dio_mem_align == 0 || status.stx_dio_offset_align == 0)
            return fail(Kind::unsupported, "direct transfers are not supported");
        return Alignment{status.stx_dio_mem_align, status.stx_dio_offset_align};
    }
    if (!S_ISBLK(status.stx_mode)) return Alignment{sector, sector};
    int logical = 0;
    TRY(checked(::ioctl(disk.get(), BLKSSZGET, &logical), "reading the sector size"));
    return Alignment{static_cast<std::uint32_t>(logical), static_cast<std::uint32_t>(logical)};
}

}  // namespace sheaf::storage
