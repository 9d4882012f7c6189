// Any requests, reports and statistics to virtio-balloon: it takes no memory but the guest's, and
// never counts more than there is.

#include <cstdlib>

#include "devices/virtio/balloon.h"
#include "driver_input.h"
#include "io/make_loop.h"
#include "support/served_device.h"
#include "support/turns.h"

namespace sheaf::virtio {
namespace {

void run(test::Input input) {
    static const auto loop = io::make_loop().value();
    test::FakeGuest guest{4_MiB};
    Balloon device{*loop, guest.memory(), {.statistics_every = io::Duration::zero()}};
    const auto features = input.number<std::uint64_t>() & device.traits().features;
    test::ServedDevice served{*loop, guest, device, features};
    const auto queues = device.traits().queue_sizes.size();
    std::vector<test::Budget> budgets(queues);
    while (!input.empty()) {
        const std::size_t queue = input.number<std::uint8_t>() % (queues + 1);
        if (queue == queues) {
            const auto offset = input.number<std::uint8_t>() % 13U;
            device.write_config(offset, bytes_of(input.number<std::uint32_t>()));
            device.inflate_to(input.number<std::uint64_t>());
        } else {
            if (!offer_chain(input, served.driver(queue), budgets[queue])) break;
            served.ring(queue);
        }
        test::turn(*loop);
        for (std::size_t index = 0; index < queues; ++index)
            while (const auto used = served.driver(index).take_used())
                if (used->head >= served.driver(index).size() || used->written != 0) std::abort();
    }
    served.stop();
    if (device.account().inflated.value() > budgets.size() * 60 * 1024 * 4096) std::abort();
}

}  // namespace
}  // namespace sheaf::virtio

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sheaf::virtio::run({data, size});
    return 0;
}
