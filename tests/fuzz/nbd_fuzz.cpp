// A client that says anything, in any pieces, and takes its replies or not: whatever it hears is
// framed as the protocol has it, it costs at most one line of the log, and nothing of it is left.

#include <cstdlib>

#include "driver_input.h"
#include "support/nbd_world.h"

namespace sheaf::nbd {
namespace {

using test::Input;
using test::NbdClient;
using test::NbdWorld;

enum class Start : std::uint8_t { at_once, after_greeting, with_export, with_requests };

// Every reply there is. With structured replies their framing needs no knowledge of the requests.
io::Task<void> hear(NbdClient& client) {
    while (true) {
        const auto answer = co_await client.reply().result();
        if (!answer && answer.error().kind() == Kind::corrupt &&
            !answer.error().text().contains("ended in the middle"))
            std::abort();
        if (!answer) co_return;
        if (answer->data.size() > most_payload + sizeof(std::uint64_t)) std::abort();
    }
}

io::Task<void> hear_anything(NbdClient& client) {
    static_cast<void>(co_await client.closed());
}

std::vector<std::byte> taken(Input& input, std::size_t most) {
    std::vector<std::byte> bytes;
    for (auto left = input.number<std::uint8_t>() % (most + 1); left > 0 && !input.empty(); --left)
        bytes.push_back(static_cast<std::byte>(input.number<std::uint8_t>()));
    return bytes;
}

io::Task<void> babble(io::Loop& loop, NbdClient& client, Input& input) {
    while (!input.empty()) {
        auto words = taken(input, 255);
        co_await client.send(std::move(words));
        if (input.number<std::uint8_t>() % 4 == 0)
            co_await loop.sleep(std::chrono::microseconds{300});
    }
}

// Requests that are likely to be believed.
io::Task<void> request(io::Loop& loop, NbdClient& client, Input& input) {
    while (!input.empty()) {
        NbdClient::Ask ask;
        ask.command = static_cast<Command>(input.number<std::uint8_t>() % 9U);
        ask.flags = input.number<std::uint8_t>() % 32U;
        ask.cookie = input.number<std::uint8_t>();
        ask.offset = std::uint64_t{input.number<std::uint8_t>()} * 4096;
        ask.length = input.number<std::uint8_t>() * 1024U;
        std::vector<std::byte> payload;
        if (ask.command == Command::write) payload.resize(ask.length);
        if (ask.cookie == 77) payload.resize(payload.size() / 2);
        co_await client.request(ask, std::move(payload));
        if (ask.cookie % 4 == 0) co_await loop.sleep(std::chrono::microseconds{300});
    }
}

io::Task<void> converse(NbdWorld& world, Input& input) {
    const auto what = input.number<std::uint8_t>();
    const auto start = static_cast<Start>(what % 4U);
    const auto client = co_await world.connect();
    if (start == Start::after_greeting) co_await client->greet();
    if (start >= Start::with_export) co_await client->enter("disk", true);
    io::TaskGroup group;
    const auto listens = what % 16U < 12U;
    if (listens && start >= Start::with_export) group.start(hear(*client));
    if (listens && start < Start::with_export) group.start(hear_anything(*client));
    if (start == Start::with_requests) {
        group.start(request(world.loop(), *client, input));
    } else {
        group.start(babble(world.loop(), *client, input));
    }
    co_await world.loop().sleep(std::chrono::seconds{40});
    group.cancel();
    static_cast<void>(co_await group.join().result());
}

}  // namespace
}  // namespace sheaf::nbd

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sheaf::test::Input input{data, size};
    sheaf::test::NbdWorld world{size, 1 << 20};
    world.disk.delay = std::chrono::microseconds{100};
    const auto outcome = world.run(sheaf::nbd::converse(world, input));
    if (!outcome || world.open_exports != 0 || world.disk.running != 0 || world.log_lines() > 1)
        std::abort();
    return 0;
}
