#include "storage/pool/lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/json.h"

namespace sheaf::pool {

namespace {

constexpr auto lock_name = "lock";
constexpr off_t engine_byte = 0;
constexpr off_t change_byte = 1;

struct LockText {
    int pid = 0;
    std::string verb;
};
BOOST_DESCRIBE_STRUCT(LockText, (), (pid, verb))

struct flock range_of(short type, off_t start, off_t length) {
    struct flock range{};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = start;
    range.l_len = length;
    return range;
}

// Whether it was got; only one that does not wait may fail to.
Result<bool> set(const Fd& file, const std::string& path, int command, struct flock range) {
    while (::fcntl(file.get(), command, &range) != 0) {
        if (errno == EAGAIN || errno == EACCES) return false;
        if (errno != EINTR) return fail_os(errno, "locking {}", path);
    }
    return true;
}

bool is_of_a_verb(char letter) {
    return (letter >= 'a' && letter <= 'z') || letter == ' ' || letter == '-';
}

Holder read_holder(const Fd& file) {
    std::string text(256, '\0');
    const auto count = ::pread(file.get(), text.data(), text.size(), 0);
    text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return parse_holder(text);
}

// It is read by people only: one that could not be written is no reason to fail.
void write_holder(const Fd& file, std::string_view verb) {
    const auto text = encode(LockText{::getpid(), std::string{verb}}) + "\n";
    if (::ftruncate(file.get(), 0) == 0)
        static_cast<void>(::pwrite(file.get(), text.data(), text.size(), 0));
}

}  // namespace

std::string Holder::text() const {
    return pid == 0 ? "another process" : fmt::format("process {} (sheaf {})", pid, verb);
}

Holder parse_holder(std::string_view text) {
    const auto said = decode<LockText>(text);
    if (!said || said->pid <= 0 || !std::ranges::all_of(said->verb, is_of_a_verb)) return {};
    return {said->pid, said->verb};
}

Result<PoolLock> PoolLock::take(const Directory& pool) {
    auto file = TRY(pool.open_file(lock_name, O_RDWR | O_CREAT));
    TRY(set(file, pool.path_of(lock_name), F_OFD_SETLKW, range_of(F_WRLCK, 0, 0)));
    return PoolLock{std::move(file)};
}

Result<std::optional<VolumeLock>> VolumeLock::take(const Directory& volume, std::string_view verb) {
    auto file = TRY(volume.open_file(lock_name, O_RDWR | O_CREAT));
    const auto path = volume.path_of(lock_name);
    TRY(set(file, path, F_OFD_SETLKW, range_of(F_WRLCK, change_byte, 1)));
    if (!TRY(set(file, path, F_OFD_SETLK, range_of(F_WRLCK, engine_byte, 1)))) return std::nullopt;
    write_holder(file, verb);
    return VolumeLock{std::move(file)};
}

Result<std::optional<VolumeLock>> VolumeLock::take_if_free(const Directory& volume,
                                                           std::string_view verb) {
    auto file = TRY(volume.open_file(lock_name, O_RDWR | O_CREAT));
    const auto path = volume.path_of(lock_name);
    if (!TRY(set(file, path, F_OFD_SETLK, range_of(F_WRLCK, engine_byte, change_byte + 1))))
        return std::nullopt;
    write_holder(file, verb);
    return VolumeLock{std::move(file)};
}

Result<void> VolumeLock::begin_serving() const {
    TRY(set(file_, lock_name, F_OFD_SETLK, range_of(F_UNLCK, change_byte, 1)));
    return {};
}

Result<void> VolumeLock::end_serving() const {
    TRY(set(file_, lock_name, F_OFD_SETLKW, range_of(F_WRLCK, change_byte, 1)));
    return {};
}

Result<std::optional<Holder>> holder_of(const Directory& volume) {
    auto file = volume.open_file(lock_name, O_RDONLY);
    if (!file && file.error().kind() == Kind::not_found) return std::nullopt;
    if (!file) return Failure{std::move(file).error()};
    auto range = range_of(F_WRLCK, engine_byte, 1);
    TRY(checked(::fcntl(file->get(), F_OFD_GETLK, &range), "{}", volume.path_of(lock_name)));
    if (range.l_type == F_UNLCK) return std::nullopt;
    return read_holder(*file);
}

}  // namespace sheaf::pool
