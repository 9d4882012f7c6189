#include "node/bounded_log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/bytes.h"

namespace sheaf::node {

namespace {

constexpr std::string_view last_words = "sheaf: what follows is not kept: the log is full\n";
constexpr std::size_t buffer_size = 4096;

}  // namespace

// Writers do not wait: the reader is a writer as well, and would wait for itself.
Result<BoundedLog> BoundedLog::take_over() {
    auto file = TRY(checked_fd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0), "the log"));
    struct stat status{};
    TRY(checked(::fstat(file.get(), &status), "the log"));
    const auto full = static_cast<std::size_t>(status.st_size);
    auto ends = std::array<int, 2>{};
    TRY(checked(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), "making a pipe for the log"));
    auto reader = Fd{ends[0]};
    const auto writer = Fd{ends[1]};
    TRY(checked(::dup2(writer.get(), STDERR_FILENO), "taking over the log"));
    return BoundedLog{std::move(file), std::move(reader), most - std::min(most, full)};
}

io::Task<void> BoundedLog::carry(io::Loop& loop) {
    while (true) {
        co_await loop.poll(reader_.get(), POLLIN);
        drain();
    }
}

void BoundedLog::drain() {
    std::array<std::byte, buffer_size> buffer;
    while (true) {
        const auto count = ::read(reader_.get(), buffer.data(), buffer.size());
        if (count <= 0) return;
        write(std::span{buffer}.first(static_cast<std::size_t>(count)));
    }
}

void BoundedLog::write(std::span<const std::byte> bytes) {
    if (room_ == 0) return;
    const bool last = bytes.size() >= room_;
    const auto kept = bytes.first(std::min(bytes.size(), room_));
    room_ -= kept.size();
    // A log that cannot be written is nowhere to complain of.
    static_cast<void>(::write(file_.get(), kept.data(), kept.size()));
    if (last) static_cast<void>(::write(file_.get(), last_words.data(), last_words.size()));
}

}  // namespace sheaf::node
