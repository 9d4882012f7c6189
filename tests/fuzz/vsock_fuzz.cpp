// Any packets and buffers to virtio-vsock, with programs of the host that speak, listen and leave:
// what comes back is a packet for this guest, and no connection is held beyond its end.

#include <sys/socket.h>

#include <cstdlib>

#include "driver_input.h"
#include "io/make_loop.h"
#include "support/vsock_guest.h"

namespace sheaf::virtio {
namespace {

constexpr std::size_t most_programs = 8;

class Dialer final : public VsockDialer {
  public:
    io::Task<Fd> dial(std::uint32_t port) override {
        std::array<int, 2> ends{};
        if (port % 4 == 3 || programs.size() == most_programs ||
            ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
            co_await fail(Kind::not_found, "nobody");
        programs.emplace_back(ends[0]);
        co_return Fd{ends[1]};
    }
    std::vector<Fd> programs;
};

void check_answers(test::DriverQueue& queue) {
    while (const auto used = queue.take_used()) {
        if (used->head >= queue.size()) std::abort();
        const auto bytes = queue.written(*used);
        if (bytes.size() != used->written) std::abort();
        if (bytes.empty()) continue;
        const auto header = load<VsockHeader>(bytes);
        if (header.destination_cid != test::VsockGuest::cid || header.source_cid != 2 ||
            header.operation < 1 || header.operation > 7 ||
            header.length != bytes.size() - sizeof(header))
            std::abort();
    }
}

// A packet whose header is likely to be believed.
void send_packet(test::Input& input, test::DriverQueue& queue, test::Budget& budget) {
    const std::size_t length = input.number<std::uint8_t>() * 16U;
    if (budget.descriptors < 2 || budget.memory < length + 64) return;
    budget.descriptors -= 2;
    budget.memory -= static_cast<std::uint32_t>(length + 64);
    const auto key = VsockKey{.guest_port = input.number<std::uint8_t>() % 4U,
                              .host_port = input.number<std::uint8_t>() % 5U};
    auto header = test::VsockGuest::header(
        key, static_cast<VsockOperation>(input.number<std::uint8_t>() % 9U));
    header.flags = input.number<std::uint8_t>() % 4U;
    header.buffer_size = input.number<std::uint16_t>();
    header.forwarded_count = input.number<std::uint8_t>();
    header.length = static_cast<std::uint32_t>(length);
    auto chain = queue.chain();
    chain.readable(header);
    if (length > 0) chain.readable(std::vector<std::byte>(length));
    chain.offer();
}

void serve_program(test::Input& input, std::vector<Fd>& programs) {
    if (programs.empty()) return;
    auto& program = programs[input.number<std::uint8_t>() % programs.size()];
    std::array<std::byte, 4096> room{};
    switch (input.number<std::uint8_t>() % 4) {
        case 0:
            static_cast<void>(::send(program.get(), room.data(), input.number<std::uint8_t>() * 16U,
                                     MSG_DONTWAIT | MSG_NOSIGNAL));
            break;
        case 1:
            static_cast<void>(::recv(program.get(), room.data(), room.size(), MSG_DONTWAIT));
            break;
        case 2:
            ::shutdown(program.get(), input.number<std::uint8_t>() % 2 ? SHUT_WR : SHUT_RD);
            break;
        default:
            std::swap(program, programs.back());
            programs.pop_back();
            break;
    }
}

void run(test::Input input) {
    static const auto loop = io::make_loop().value();
    test::FakeGuest guest{4_MiB};
    Dialer dialer;
    auto listener = Fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const sockaddr any{.sa_family = AF_UNIX, .sa_data = {}};
    if (::bind(listener.get(), &any, sizeof(sa_family_t)) != 0 || ::listen(listener.get(), 1) != 0)
        std::abort();
    Vsock device{
        *loop, std::move(listener), dialer, {.cid = test::VsockGuest::cid, .queue_size = 64}};
    test::ServedDevice served{*loop, guest, device, 0};
    std::array<test::Budget, 3> budgets;
    while (!input.empty()) {
        const auto what = input.number<std::uint8_t>();
        switch (what % 4) {
            case 0: {
                const std::size_t queue = what / 4U % 3;
                if (!offer_chain(input, served.driver(queue), budgets[queue])) return served.stop();
                served.ring(queue);
                break;
            }
            case 1:
                if (budgets[0].descriptors < 1 || budgets[0].memory < 4140) break;
                budgets[0].descriptors -= 1;
                budgets[0].memory -= 4140;
                served.driver(0).chain().writable(4140).offer();
                served.ring(0);
                break;
            case 2:
                send_packet(input, served.driver(1), budgets[1]);
                served.ring(1);
                break;
            default: serve_program(input, dialer.programs); break;
        }
        test::turn(*loop);
        for (std::size_t queue = 0; queue < 3; ++queue) check_answers(served.driver(queue));
        if (device.connection_count() > Vsock::most_connections) std::abort();
    }
    served.stop();
    if (device.connection_count() != 0) std::abort();
}

}  // namespace
}  // namespace sheaf::virtio

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sheaf::virtio::run({data, size});
    return 0;
}
