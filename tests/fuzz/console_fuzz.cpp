// Any buffers to virtio-console, and any typing: what is typed arrives in order and once.

#include <cstdlib>

#include "devices/virtio/console.h"
#include "driver_input.h"
#include "io/make_loop.h"
#include "support/served_device.h"
#include "support/turns.h"
#include "unit/devices/legacy/test_backend.h"

namespace sheaf::virtio {
namespace {

void run(test::Input input) {
    static const auto loop = io::make_loop().value();
    test::FakeGuest guest{2_MiB};
    console::TestBackend backend;
    Console device{backend};
    test::ServedDevice served{*loop, guest, device,
                              input.number<std::uint8_t>() % 2 ? ring_event_index : 0};
    test::Budget budgets[2];
    std::string typed;
    std::string read;
    std::size_t written = 0;
    while (!input.empty()) {
        const auto what = input.number<std::uint8_t>();
        if (what < 64) {
            const auto text = input.bytes(what);
            typed += as_text(text);
            backend.type(as_text(text));
        } else if (what < 80) {
            // As the transport passes them on: one to four bytes within the configuration.
            const auto value = input.number<std::uint32_t>();
            const std::uint32_t offset = what % 12;
            const auto length = std::min(1u + input.number<std::uint8_t>() % 4u, 12u - offset);
            device.write_config(offset, bytes_of(value).first(length));
        } else {
            const std::size_t queue = what & 1;
            if (!offer_chain(input, served.driver(queue), budgets[queue])) break;
            served.ring(queue);
        }
        test::turn(*loop);
        while (const auto used = served.driver(0).take_used()) {
            written += used->written;
            read += as_text(served.driver(0).written(*used));
        }
        while (served.driver(1).take_used()) continue;
    }
    const bool sound = served.faults().empty();
    if (sound && written + backend.typed.size() != typed.size()) std::abort();
    if (sound && !budgets[0].strayed && read + backend.typed != typed) std::abort();
    served.stop();
    if (!served.errors().empty()) std::abort();
}

}  // namespace
}  // namespace sheaf::virtio

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sheaf::virtio::run({data, size});
    return 0;
}
