#include "api/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/fd.h"

namespace sheaf::api {

namespace {

constexpr std::size_t most = 1 << 20;  // bytes

Result<void> write_all(const Fd& file, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const auto written = ::write(file.get(), text.data(), text.size());
        if (written < 0) return fail_os(errno, "writing {}", path);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    TRY(checked(::fsync(file.get()), "writing {}", path));
    return {};
}

}  // namespace

Result<std::string> read_small_file(const std::string& path) {
    const auto file = TRY(checked_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "{}", path));
    std::string text;
    std::array<char, 4096> buffer;
    while (true) {
        const auto count = ::read(file.get(), buffer.data(), buffer.size());
        if (count < 0) return fail_os(errno, "reading {}", path);
        if (count == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(count));
        if (text.size() > most) return fail(Kind::invalid, "{}: more than 1 MiB", path);
    }
}

Result<void> write_small_file(const std::string& path, std::string_view text, mode_t mode) {
    const auto fresh = path + ".new";
    {
        // What a crash has left is written anew, and never with the mode it happens to have.
        static_cast<void>(::unlink(fresh.c_str()));
        const auto flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
        const auto file = TRY(checked_fd(::open(fresh.c_str(), flags, 0600), "{}", fresh));
        TRY(write_all(file, text, fresh));
        TRY(checked(::fchmod(file.get(), mode), "{}", fresh));
    }
    TRY(checked(::rename(fresh.c_str(), path.c_str()), "{}", path));
    const auto folder = path.substr(0, path.rfind('/') + 1);
    const auto opened =
        TRY(checked_fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "{}", folder));
    TRY(checked(::fsync(opened.get()), "{}", folder));
    return {};
}

}  // namespace sheaf::api
