// A control socket whose other end says anything, in any pieces. The same bytes are said to an open
// volume, as requests, and to a client, as answers. A request that is understood has one answer,
// one that is not has an error, and is the last. All that is said is whole lines. A client gives up
// with a sentence or has an answer of which nothing surprises a terminal. In the input a byte that
// is in no text stands for a line that is too long.

#include <sys/un.h>

#include <algorithm>
#include <bit>
#include <span>

#include "base/bytes.h"
#include "base/json.h"
#include "message.h"
#include "sim/volume_world.h"
#include "storage/pool/control_server.h"
#include "storage/pool/name.h"
#include "storage/pool/volume_client.h"

namespace sheaf::pool {
namespace {

using sim::VolumeWorld;
using test::check_message;
using test::require;

constexpr std::uint64_t volume_size = 1 << 20;
constexpr std::size_t most_lines = 12;
constexpr sockaddr_un address{.sun_family = AF_UNIX, .sun_path = "control"};

const sockaddr* generic() {
    return std::bit_cast<const sockaddr*>(&address);
}

std::string said_by(std::span<const std::uint8_t> input) {
    constexpr std::uint8_t in_no_text = 0xff;
    std::string text;
    std::size_t lines = 0;
    auto long_line = false;
    for (const auto byte : input) {
        if (byte == in_no_text && !std::exchange(long_line, true))
            text.append(control_request_limit + 1, 'x');
        else
            text += static_cast<char>(byte);
        if (byte == '\n' && ++lines == most_lines) break;
    }
    return text;
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    for (auto end = text.find('\n'); end != text.npos; end = text.find('\n')) {
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    if (!text.empty()) lines.emplace_back(text);
    return lines;
}

// How many answers a conversation has: all but a last line that has not ended.
std::size_t answers_to(std::string_view said) {
    std::size_t count = 0;
    const auto lines = lines_of(said);
    for (const auto& line : lines) {
        const auto unfinished = &line == &lines.back() && !said.ends_with('\n');
        if (unfinished && line.size() <= control_request_limit) break;
        ++count;
        if (line.size() > control_request_limit) break;
        const auto request = decode<ControlRequest>(line);
        if (!request || request->version != control_version) break;
        const auto written = encode(*request);
        const auto again = decode<ControlRequest>(written);
        require(again.has_value() && encode(*again) == written);
    }
    return count;
}

// What the engine said is whole lines, of which each but the first answers.
void check_heard(std::string_view heard, std::size_t answers) {
    require(heard.ends_with('\n'));
    auto lines = lines_of(heard);
    require(check_hello(lines.front()).has_value());
    for (const auto& line : std::span{lines}.subspan(1)) {
        require(line.size() <= control_reply_limit);
        const auto reply = parse_reply(line);
        require(reply.has_value() && encode(*reply) == line);
        if (reply->error) check_message(reply->error->detail);
        if (!reply->progress) require(answers-- > 0);
    }
    require(answers == 0);
}

io::Task<void> say(io::Loop& loop, int socket, std::string_view text) {
    for (auto rest = as_bytes(text); !rest.empty();)
        rest = rest.subspan(co_await loop.send(socket, rest, 0));
}

io::Task<void> hear(io::Loop& loop, int socket, std::string& heard) {
    std::array<std::byte, 4096> buffer{};
    while (true) {
        const auto count = co_await loop.recv(socket, buffer, 0);
        if (count == 0) co_return;
        heard += as_text(std::span{buffer}.first(count));
    }
}

io::Task<void> converse(io::SimLoop& loop, std::string_view said, std::string& heard) {
    const auto socket = co_await loop.network().socket();
    co_await loop.connect(socket.get(), generic(), sizeof(address));
    io::TaskGroup talk;
    talk.start(say(loop, socket.get(), said));
    talk.start(hear(loop, socket.get(), heard));
    co_await loop.sleep(std::chrono::minutes{20});
    talk.cancel();
    // The engine may have ended the conversation before all was said.
    static_cast<void>(co_await talk.join().result());
}

io::Task<void> write_some(storage::Block& block) {
    std::vector<std::byte> bytes(64 << 10, std::byte{0x5a});
    const iovec piece{bytes.data(), bytes.size()};
    for (const auto offset : {0, 512 << 10})
        co_await block.write(static_cast<std::uint64_t>(offset), std::span{&piece, 1});
}

io::Task<void> ask_an_engine(VolumeWorld& world, std::string_view said, std::string& heard) {
    auto files = co_await world.open();
    co_await volume::Volume::create(world.loop(), std::move(files), world.shape());
    files = co_await world.open();
    const volume::Options options;
    const auto engine =
        co_await volume::Volume::open(world.loop(), std::move(files), world.store(), options);
    co_await write_some(*engine);
    NoUser user;
    auto listener = co_await world.loop().network().listen(generic(), sizeof(address));
    const ControlServer::Served served{*engine, user, "v"};
    ControlServer server{world.loop(), std::move(listener), served};
    co_await converse(world.loop(), said, heard);
    co_await server.stop();
    co_await engine->shut_down();
}

class CountingSink final : public ProgressSink {
  public:
    void progressed(const ControlProgress&) override { ++count; }
    std::size_t count = 0;
};

void check_answer(const VolumeStatus& status) {
    for (const auto& snapshot : status.snapshots)
        require(check_name("snapshot", snapshot.name).has_value());
    if (!status.checked) return;
    for (const auto& text : status.checked->found) check_message(text);
    for (const auto& text : status.checked->damaged) check_message(text);
}

io::Task<void> say_and_leave(io::Loop& loop, Fd socket, std::string_view text) {
    co_await say(loop, socket.get(), text);
}

io::Task<void> answer_a_client(io::SimLoop& loop, const std::string& said) {
    auto ends = co_await loop.network().connection();
    LineChannel channel{loop, std::move(ends.first), control_request_limit};
    io::TaskGroup talk;
    talk.start(say_and_leave(loop, std::move(ends.second), said));
    CountingSink sink;
    const ControlRequest request;
    const auto greeted = check_hello(lines_of(said + "\n").front());
    if (!greeted) check_message(greeted.error());
    const auto status = co_await ask(channel, request, sink).result();
    if (status) check_answer(*status);
    if (!status) check_message(status.error());
    require(sink.count <= most_lines);
    talk.cancel();
    static_cast<void>(co_await talk.join().result());  // nobody hears the rest
}

}  // namespace
}  // namespace sheaf::pool

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace pool = sheaf::pool;
    const auto said = pool::said_by(std::span{data, size});
    sheaf::sim::VolumeWorld world{size, pool::volume_size, 2 * pool::volume_size};
    world.loop().network().set_faults({.short_transfer = 0.5});
    // Slow enough that there is progress to be told.
    world.set_faults({.least_delay = std::chrono::milliseconds{50},
                      .most_delay = std::chrono::milliseconds{900}});
    std::string heard;
    pool::require(
        sheaf::io::run(world.loop(), pool::ask_an_engine(world, said, heard)).has_value());
    pool::check_heard(heard, pool::answers_to(said));
    pool::require(
        sheaf::io::run(world.loop(), pool::answer_a_client(world.loop(), said)).has_value());
    return 0;
}
