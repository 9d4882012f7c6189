#include "storage/image/download.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <span>
#include <vector>

#include "base/child.h"

namespace sheaf::image {

namespace {

constexpr std::size_t most_at_once = 1 << 20;
constexpr std::size_t most_words = 4096;

// A running curl: its output comes by a pipe, so that it cannot outlive who reads it, and what it
// complains of is kept in memory.
class Curl {
  public:
    static Result<Curl> start(const std::string& url);

    // What it writes: a pipe.
    int output() const { return output_.get(); }
    io::Task<void> finish(io::Loop& loop);

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

io::Task<void> Curl::finish(io::Loop& loop) {
    co_await loop.poll(child_.ended().get(), POLLIN);
    const auto how = child_.reap();
    if (how.empty()) co_return;
    const auto words = complaint();
    co_await fail(Kind::unavailable, "{}", words.empty() ? "curl: " + how : words);
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

io::Task<void> append(io::Loop& loop, const Fd& file, std::span<const std::byte> bytes,
                      std::uint64_t offset) {
    while (!bytes.empty()) {
        const auto count = co_await loop.write(file.get(), bytes, offset);
        bytes = bytes.subspan(count);
        offset += count;
    }
}

io::Task<void> fetch(io::Loop& loop, Curl& curl, const pool::Pool& pool, const Fd& file,
                     Fetched fetched) {
    std::vector<std::byte> buffer(most_at_once);
    for (std::uint64_t done = 0;;) {
        const auto count = co_await loop.read_stream(curl.output(), std::span{buffer});
        if (count == 0) break;
        co_await pool.check_room(count);
        co_await append(loop, file, std::span{buffer}.first(count), done);
        done += count;
        if (fetched) fetched(done);
    }
    co_await curl.finish(loop);
}

}  // namespace

bool is_url(std::string_view text) {
    return text.starts_with("http://") || text.starts_with("https://");
}

io::Task<Fd> download(io::Loop& loop, std::string url, const pool::Pool& pool, Fetched fetched) {
    auto file =
        co_await checked_fd(::open(pool.path().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600),
                            "a file in {}", pool.path());
    auto curl = co_await Curl::start(url);
    auto done = co_await fetch(loop, curl, pool, file, std::move(fetched)).result();
    if (!done) co_await Failure{std::move(done).error().within(url)};
    co_return file;
}

}  // namespace sheaf::image
