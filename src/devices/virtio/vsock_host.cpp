#include "devices/virtio/vsock_host.h"

#include <charconv>
#include <string>

#include "io/task_group.h"

namespace sheaf::virtio {

namespace {

constexpr std::string_view verb = "CONNECT ";
constexpr std::size_t most_length = 32;

// Byte by byte: what follows the line is for the guest.
io::Task<void> read_line(io::Loop& loop, int socket, std::string& line) {
    while (line.size() < most_length) {
        std::byte letter{};
        const auto count = co_await loop.recv(socket, std::span{&letter, 1}, 0);
        if (count == 0) co_await fail(Kind::invalid, "a greeting of {} bytes", line.size());
        line.push_back(static_cast<char>(letter));
        if (line.back() == '\n') co_return;
    }
}

io::Task<void> cancel_after(io::Loop& loop, io::Duration patience, io::TaskGroup& group) {
    co_await loop.sleep(patience);
    group.cancel();
}

}  // namespace

io::Task<std::uint32_t> read_vsock_greeting(io::Loop& loop, int socket, io::Duration patience) {
    std::string line;
    io::TaskGroup reading;
    io::TaskGroup clock;
    reading.start(read_line(loop, socket, line));
    clock.start(cancel_after(loop, patience, reading));
    const auto outcome = co_await reading.join().result();
    clock.cancel();
    static_cast<void>(co_await clock.join().result());
    if (!outcome) co_await Failure{outcome.error()};
    if (!line.ends_with('\n')) co_await fail(Kind::invalid, "no whole greeting");
    line.pop_back();
    co_return co_await parse_vsock_greeting(line);
}

Result<std::uint32_t> parse_vsock_greeting(std::string_view line) {
    std::uint32_t port = 0;
    if (line.starts_with(verb)) {
        const auto* const end = line.data() + line.size();
        const auto parsed = std::from_chars(line.data() + verb.size(), end, port);
        if (parsed.ec == std::errc{} && parsed.ptr == end) return port;
    }
    return fail(Kind::invalid, "a greeting that is not \"CONNECT port\"");
}

}  // namespace sheaf::virtio
