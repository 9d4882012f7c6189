// Any buffers, frames and commands to virtio-net: nothing crashes, overruns, spins or stays behind.

#include <cstdlib>

#include "devices/virtio/net.h"
#include "driver_input.h"
#include "io/make_loop.h"
#include "support/served_device.h"
#include "support/turns.h"
#include "unit/devices/virtio/fake_port.h"

namespace sheaf::virtio {
namespace {

void check_answers(test::DriverQueue& queue) {
    while (const auto used = queue.take_used()) {
        if (used->head >= queue.size()) std::abort();
        // What the device says it wrote lies within what the driver gave.
        if (queue.written(*used).size() != used->written) std::abort();
    }
}

void run(test::Input input) {
    static const auto loop = io::make_loop().value();
    net::FakePort port{2};
    test::FakeGuest guest{4_MiB};
    Net device{port,
               {.mac = net::MacAddress{{0x52, 0x54, 0, 0, 0, 1}}, .mtu = 1500, .queue_size = 64}};
    const auto features = input.number<std::uint64_t>();
    test::ServedDevice served{
        *loop, guest, device,
        features & (device.traits().features | ring_event_index | ring_indirect_descriptors)};
    const auto queues = device.traits().queue_sizes.size();
    std::vector<test::Budget> budgets(queues);
    while (!input.empty()) {
        const auto what = input.number<std::uint8_t>();
        auto& cable = port.queue(what & 1);
        cable.refusing = (what & 0x10) != 0;
        switch (what >> 1 & 3) {
            case 0:
            case 1: {
                const std::size_t queue = input.number<std::uint8_t>() % queues;
                if (!offer_chain(input, served.driver(queue), budgets[queue])) return served.stop();
                served.ring(queue);
                break;
            }
            case 2: {
                const auto length = input.number<std::uint16_t>();
                net::Frame frame(length);
                std::ranges::copy(input.bytes(std::min<std::size_t>(length, 32)), frame.begin());
                cable.arrive(std::move(frame));
                break;
            }
            default:
                if (what & 0x20) device.set_link(what & 0x40 ? Link::up : Link::down);
                device.announce();
                break;
        }
        test::turn(*loop);
        for (std::size_t queue = 0; queue < queues; ++queue) check_answers(served.driver(queue));
    }
    served.stop();
}

}  // namespace
}  // namespace sheaf::virtio

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sheaf::virtio::run({data, size});
    return 0;
}
