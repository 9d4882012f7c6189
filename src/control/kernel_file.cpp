#include "control/kernel_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "storage/disk_file.h"
#include "storage/image/fresh_file.h"
#include "storage/image/source.h"

namespace sheaf::control {

namespace {

constexpr std::size_t most_at_once = 1 << 20;

Result<std::uint64_t> size_of(const Fd& file) {
    struct stat status{};
    TRY(checked(::fstat(file.get(), &status), "looking at a kernel"));
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (!S_ISREG(status.st_mode)) return fail(Kind::invalid, "is no regular file");
    if (size == 0 || size > largest_kernel)
        return fail(Kind::invalid, "has {} bytes: a kernel has 1 to {}", size, largest_kernel);
    return size;
}

io::Task<void> copy(io::Loop& loop, const Fd& from, const Fd& to, std::uint64_t size) {
    std::vector<std::byte> buffer(std::min<std::uint64_t>(size, most_at_once));
    for (std::uint64_t at = 0; at < size;) {
        const auto count = co_await loop.read(from.get(), std::span{buffer}, at);
        if (count == 0) co_await fail(Kind::invalid, "was cut short while it was read");
        for (std::size_t written = 0; written < count;)
            written += co_await loop.write(
                to.get(), std::span{buffer}.first(count).subspan(written), at + written);
        at += count;
    }
}

io::Task<void> import_checked(io::Loop& loop, const pool::Pool& pool, Fd file,
                              KernelImport wanted) {
    const auto size = co_await size_of(file);
    co_await pool.check_room(size);
    if (::mkdir(wanted.folder.c_str(), 0700) != 0 && errno != EEXIST)
        co_await fail_os(errno, "making {}", wanted.folder);
    const auto path = wanted.folder + "/" + wanted.name;
    auto made = co_await image::FreshFile::create(path, image::Existing::refuse);
    co_await copy(loop, file, made.descriptor(), size);
    const auto sha256 = co_await image::sha256_of(loop, made.descriptor(), {});
    if (wanted.sha256 && *wanted.sha256 != sha256)
        co_await fail(Kind::invalid, "has the SHA-256 {}, not {}", sha256, *wanted.sha256);
    co_await checked(::fchmod(made.descriptor().get(), 0600), "closing {} to others", path);
    co_await made.keep();
}

}  // namespace

io::Task<void> import_kernel(io::Loop& loop, const pool::Pool& pool, Fd file, KernelImport wanted) {
    const auto source = wanted.source;
    auto outcome = co_await import_checked(loop, pool, std::move(file), std::move(wanted)).result();
    if (!outcome) co_await Failure{std::move(outcome).error().within("importing " + source)};
}

io::Task<std::optional<DiskFacts>> find_kernel(io::Loop& loop, std::string path) {
    auto file = storage::open_buffered(path);
    if (!file && file.error().kind() == Kind::not_found) co_return std::nullopt;
    const auto opened = co_await std::move(file);
    DiskFacts facts;
    facts.size = facts.used = co_await size_of(opened);
    facts.sha256 = co_await image::sha256_of(loop, opened, {});
    co_return facts;
}

Result<void> remove_kernel(const std::string& path) {
    if (::unlink(path.c_str()) == 0) {
        const auto folder = std::filesystem::path{path}.parent_path();
        const auto parent = TRY(checked_fd(::open(folder.c_str(), O_RDONLY | O_CLOEXEC),
                                           "opening {}", folder.native()));
        TRY(checked(::fsync(parent.get()), "making the end of {} stable", path));
        return {};
    }
    if (errno == ENOENT) return {};
    return fail_os(errno, "removing {}", path);
}

}  // namespace sheaf::control
