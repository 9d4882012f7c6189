#include "node/console_host.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <optional>

#include "node/unix_socket.h"

namespace sheaf::node {

namespace {

constexpr int backlog = 4;

io::Task<void> write_all(io::Loop& loop, int descriptor, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        bytes = bytes.subspan(co_await loop.write_stream(descriptor, bytes));
    }
}

// Puts a terminal into raw mode, and back with the scope.
class RawTerminal {
  public:
    static std::optional<RawTerminal> enter(int descriptor) {
        auto before = termios{};
        if (::isatty(descriptor) == 0 || ::tcgetattr(descriptor, &before) != 0) return {};
        auto raw = before;
        ::cfmakeraw(&raw);
        if (::tcsetattr(descriptor, TCSANOW, &raw) != 0) return {};
        return RawTerminal{descriptor, before};
    }
    RawTerminal(RawTerminal&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)), before_(other.before_) {}
    RawTerminal& operator=(RawTerminal&&) = delete;
    ~RawTerminal() {
        if (descriptor_ >= 0) ::tcsetattr(descriptor_, TCSADRAIN, &before_);
    }

  private:
    RawTerminal(int descriptor, const termios& before) : descriptor_(descriptor), before_(before) {}
    int descriptor_;
    termios before_;
};

class StdioConsole final : public ConsoleHost {
  public:
    explicit StdioConsole(io::Loop& loop)
        : loop_(loop), terminal_(RawTerminal::enter(STDIN_FILENO)) {}

    io::Task<void> show(std::span<const std::byte> bytes) override {
        // A reader that went away must not end the guest.
        static_cast<void>(co_await write_all(loop_, STDOUT_FILENO, bytes).result());
    }

    io::Task<std::size_t> type(std::span<std::byte> bytes) override {
        const auto count = co_await loop_.read_stream(STDIN_FILENO, bytes).result();
        if (!count && count.error().kind() == Kind::cancelled) co_await Failure{count.error()};
        co_return count.value_or(0);
    }

    bool interactive() const override { return terminal_.has_value(); }

  private:
    io::Loop& loop_;
    std::optional<RawTerminal> terminal_;
};

class FileConsole final : public ConsoleHost {
  public:
    FileConsole(Fd file, io::Loop& loop) : file_(std::move(file)), loop_(loop) {}

    io::Task<void> show(std::span<const std::byte> bytes) override {
        static_cast<void>(co_await write_all(loop_, file_.get(), bytes).result());
    }
    io::Task<std::size_t> type(std::span<std::byte>) override { co_return 0; }

  private:
    Fd file_;
    io::Loop& loop_;
};

// Serves one client at a time; the next one waits in the backlog.
class SocketConsole final : public ConsoleHost {
  public:
    SocketConsole(Fd listener, std::string path, io::Loop& loop)
        : listener_(std::move(listener)), path_(std::move(path)), loop_(loop) {}
    ~SocketConsole() override { ::unlink(path_.c_str()); }

    io::Task<void> show(std::span<const std::byte> bytes) override {
        while (client_ && !bytes.empty()) {
            const auto sent = co_await loop_.send(client_.get(), bytes, MSG_NOSIGNAL).result();
            if (!sent) break;  // type() notices the client's end
            bytes = bytes.subspan(*sent);
        }
    }

    io::Task<std::size_t> type(std::span<std::byte> bytes) override {
        while (true) {
            if (!client_) client_ = co_await loop_.accept(listener_.get());
            const auto count = co_await loop_.recv(client_.get(), bytes, 0).result();
            if (count && *count > 0) co_return *count;
            if (!count && count.error().kind() == Kind::cancelled) co_await Failure{count.error()};
            client_.reset();
        }
    }

  private:
    Fd listener_;
    Fd client_;
    std::string path_;
    io::Loop& loop_;
};

Result<std::unique_ptr<ConsoleHost>> open_socket(const std::string& path, io::Loop& loop) {
    auto listener = TRY(listen_at("console socket", path, backlog));
    return std::make_unique<SocketConsole>(std::move(listener), path, loop);
}

}  // namespace

Result<std::unique_ptr<ConsoleHost>> ConsoleHost::open(const std::string& where, io::Loop& loop) {
    if (where == "stdio") return std::make_unique<StdioConsole>(loop);
    constexpr std::string_view socket_prefix = "unix:";
    if (where.starts_with(socket_prefix))
        return open_socket(where.substr(socket_prefix.size()), loop);
    auto file = TRY(
        checked_fd(::open(where.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600),
                   "console {}", where));
    return std::make_unique<FileConsole>(std::move(file), loop);
}

}  // namespace sheaf::node
