#include "cli/download.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <span>
#include <vector>

#include "base/child.h"

namespace sheaf::cli {

namespace {

constexpr std::size_t most_at_once = 1 << 20;
constexpr std::size_t most_words = 4096;

// A running curl: its output comes by a pipe, so that it cannot outlive who reads it, and what it
// complains of is kept in memory.
class Curl {
  public:
    static Result<Curl> start(const std::string& url);

    // None at the end.
    Result<std::span<const std::byte>> read(std::span<std::byte> buffer) const;
    Result<void> finish();

  private:
    Curl(Child child, Fd output, Fd words)
        : child_(std::move(child)), output_(std::move(output)), words_(std::move(words)) {}
    std::string complaint() const;

    Child child_;
    Fd output_;
    Fd words_;
};

Result<Curl> Curl::start(const std::string& url) {
    // -q, the first: not what somebody's ~/.curlrc says. A transfer that stands still for a minute
    // is given up.
    const std::vector<std::string> arguments{"curl",
                                             "-q",
                                             "--fail",
                                             "--silent",
                                             "--show-error",
                                             "--location",
                                             "--max-redirs",
                                             "10",
                                             "--proto",
                                             "=http,https",
                                             "--proto-redir",
                                             "=http,https",
                                             "--globoff",
                                             "--connect-timeout",
                                             "30",
                                             "--speed-limit",
                                             "1",
                                             "--speed-time",
                                             "60",
                                             "--url",
                                             url};
    std::array<int, 2> ends{};
    TRY(checked(::pipe2(ends.data(), O_CLOEXEC), "making a pipe"));
    Fd output{ends[0]};
    const Fd input{ends[1]};
    auto words = TRY(checked_fd(::memfd_create("curl", MFD_CLOEXEC), "making a file in memory"));
    const auto nothing =
        TRY(checked_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC), "opening /dev/null"));
    const auto handed = std::to_array<Child::Handed>({{nothing.get(), STDIN_FILENO},
                                                      {input.get(), STDOUT_FILENO},
                                                      {words.get(), STDERR_FILENO}});
    auto child = Child::start("curl", arguments, handed);
    if (!child && child.error().kind() == Kind::not_found)
        return fail(Kind::unavailable, "a URL needs the program curl: apt-get install curl");
    return Curl{TRY(std::move(child)), std::move(output), std::move(words)};
}

Result<std::span<const std::byte>> Curl::read(std::span<std::byte> buffer) const {
    ssize_t count = -1;
    do {
        count = ::read(output_.get(), buffer.data(), buffer.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) return fail_os(errno, "reading what curl fetches");
    return buffer.first(static_cast<std::size_t>(count));
}

Result<void> Curl::finish() {
    const auto how = child_.reap();
    if (how.empty()) return {};
    const auto words = complaint();
    return fail(Kind::unavailable, "{}", words.empty() ? "curl: " + how : words);
}

// Its first line, without its name: "(6) Could not resolve host: nowhere.example".
std::string Curl::complaint() const {
    std::string text(most_words, '\0');
    const auto count = ::pread(words_.get(), text.data(), text.size(), 0);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    text.resize(std::min(text.size(), text.find('\n')));
    constexpr std::string_view name = "curl: ";
    if (text.starts_with(name)) text.erase(0, name.size());
    return text;
}

Result<void> append(const Fd& file, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto count = ::write(file.get(), bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail_os(errno, "keeping what was fetched");
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

}  // namespace

bool is_url(std::string_view text) {
    return text.starts_with("http://") || text.starts_with("https://");
}

Result<Fd> download(const std::string& url, const pool::Pool& pool, ProgressLine& line) {
    auto file = TRY(checked_fd(::open(pool.path().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600),
                               "a file in {}", pool.path()));
    auto curl = TRY(Curl::start(url));
    std::vector<std::byte> buffer(most_at_once);
    for (std::uint64_t done = 0;;) {
        const auto part = TRY(curl.read(buffer));
        if (part.empty()) break;
        TRY_WITHIN(pool.check_room(part.size()), "{}", url);
        TRY(append(file, part));
        done += part.size();
        line.show("fetching", done, 0);
    }
    TRY_WITHIN(curl.finish(), "{}", url);
    return file;
}

}  // namespace sheaf::cli
