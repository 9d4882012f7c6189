// What comes from outside to replication: messages, membership records, and a stream in which an
// engine says anything to a server of copies. Each is refused with a sentence or is sound, and a
// connection leaves nothing.

#include <sys/mman.h>

#include <cstdlib>

#include "base/units.h"
#include "driver_input.h"
#include "sim/cluster_host.h"
#include "storage/replica/membership.h"
#include "storage/replica/messages.h"

namespace sheaf::replica {
namespace {

using test::Input;

template <class T>
void must_survive(const Result<T>& value, Result<T> (*parse)(std::span<const std::byte>)) {
    if (!value) return;
    const auto again = parse(encode(*value));
    if (!again || !(*again == *value)) std::abort();
}

void look_at_values(std::span<const std::byte> bytes) {
    must_survive(parse_hello(bytes), parse_hello);
    must_survive(parse_welcome(bytes), parse_welcome);
    must_survive(parse_sealed(bytes), parse_sealed);
    must_survive(parse_status(bytes), parse_status);
    must_survive(parse_copy_request(bytes), parse_copy_request);
    static_cast<void>(parse_header(bytes));
    const auto membership = parse_membership(as_text(bytes));
    if (!membership) return;
    const auto again = parse_membership(encode_membership(*membership));
    if (!again || !(*again == *membership)) std::abort();
    // Whatever it is, what it becomes is sound.
    const auto active = activate(*membership, "node", 1);
    if (active && !check(*active)) std::abort();
}

// Well formed as far as it goes: the checksums are right.
Bytes message(Input& input, const volume::Id& id) {
    Header header;
    header.type = static_cast<Type>(input.number<std::uint8_t>() % 19U);
    header.flags = input.number<std::uint8_t>() % 8U == 7U ? 1 : 0;
    header.volume = is_first(header.type) ? 0 : 1;
    header.epoch = input.number<std::uint8_t>() % 4U;
    header.generation = input.number<std::uint8_t>() % 4U;
    header.sequence = input.number<std::uint8_t>();
    header.offset = input.number<std::uint8_t>() * 4096U;
    header.length = input.number<std::uint8_t>() % 16U * 4096U;
    Bytes payload;
    if (header.type == Type::write) payload.resize(header.length);
    if (header.type == Type::seal) payload.resize(8, std::byte{1});
    if (header.type == Type::snapshot) payload.resize(3, std::byte{'a'});
    if (header.type == Type::hello) {
        Hello hello;
        hello.volume = id;
        hello.node = "node-a";
        payload = encode(hello);
    }
    if (header.type == Type::create || header.type == Type::remove) {
        CopyRequest request;
        request.volume = id;
        request.node = "node-0";
        request.name = "disk";
        payload = encode(request);
    }
    const auto whole = sealed(header, payload);
    const auto first = bytes_of(whole);
    Bytes bytes(first.begin(), first.end());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
}

io::Task<void> hear(io::ByteStream& stream) {
    std::vector<std::byte> bytes(65536);
    while (true) {
        const auto count = co_await stream.receive(bytes).result();
        if (!count || *count == 0) co_return;
    }
}

io::Task<void> speak(io::Loop& loop, io::ByteStream& stream, Input& input, volume::Id id) {
    while (!input.empty()) {
        const auto how = input.number<std::uint8_t>();
        auto words = message(input, id);
        if (how % 16U == 0) words.resize(words.size() / 2);
        if (how % 16U == 1) words[how % words.size()] ^= std::byte{how};
        const auto sent = co_await stream.send(words).result();
        if (!sent) co_return;
        if (how % 4U == 0) co_await loop.sleep(std::chrono::microseconds{300});
    }
}

io::Task<void> converse(io::SimLoop& loop, sim::ClusterHost& host, Input& input) {
    co_await host.make();
    co_await host.start();
    NewMembership wanted;
    wanted.id = host.volume().id();
    wanted.size = 256_KiB;
    wanted.nodes = {"node-a"};
    const auto made = co_await create(wanted);
    const auto active = co_await activate(made, "node-a", 1);
    kv::Transaction transaction;
    transaction.writes.push_back({membership_key("disk"), encode_membership(active), 0});
    co_await host.kv().commit(std::move(transaction));
    auto pair = co_await loop.network().connection();
    host.serve(std::make_unique<io::SocketStream>(loop, std::move(pair.first)), Caller{});
    auto stream = std::make_unique<io::SocketStream>(loop, std::move(pair.second));
    {
        io::TaskGroup group;
        group.start(hear(*stream));
        co_await speak(loop, *stream, input, host.volume().id());
        group.cancel();
        co_await group.join();
    }
    stream.reset();
    // What is in flight ends, and then nothing of the connection is left.
    co_await loop.sleep(std::chrono::seconds{30});
    if (host.sessions() != 0) std::abort();
    co_await host.stop(sim::ClusterHost::End::clean);
}

void talk(Input& input) {
    const Fd log{::memfd_create("log", MFD_CLOEXEC)};
    const Logger logger{log.get(), LogLevel::error};
    std::unique_ptr<sim::ClusterHost> host;
    const auto loop = io::SimLoop::create(1).value();
    sim::SimStore store{*loop};
    const sim::ClusterHost::Setting setting{.loop = *loop,
                                            .store = store,
                                            .logger = logger,
                                            .seed = 1,
                                            .size = 256_KiB,
                                            .volume = "disk",
                                            .id = {},
                                            .mutation = {}};
    host = std::make_unique<sim::ClusterHost>(setting);
    if (!io::run(*loop, converse(*loop, *host, input))) std::abort();
    if (!io::run(*loop, store.shut_down())) std::abort();
}

}  // namespace
}  // namespace sheaf::replica

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 4096) return 0;
    sheaf::test::Input input{data, size};
    if (data[0] % 2 == 0) {
        input.number<std::uint8_t>();
        sheaf::replica::look_at_values(input.bytes(size));
    } else {
        input.number<std::uint8_t>();
        sheaf::replica::talk(input);
    }
    return 0;
}
