// Any requests to virtio-blk over a file in memory: each that has room for a status is answered
// with one, and nothing crashes, overruns or stays behind.

#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "devices/virtio/blk.h"
#include "driver_input.h"
#include "io/make_loop.h"
#include "storage/file_block.h"
#include "support/served_device.h"
#include "support/turns.h"

namespace sheaf::virtio {
namespace {

constexpr std::uint64_t disk_size = 256_KiB;

Fd make_disk(bool direct, bool read_only) {
    Fd disk{::memfd_create("disk", MFD_CLOEXEC)};
    if (::ftruncate(disk.get(), disk_size) != 0) std::abort();
    const auto path = fmt::format("/proc/self/fd/{}", disk.get());
    const auto flags = (read_only ? O_RDONLY : O_RDWR) | (direct ? O_DIRECT : 0) | O_CLOEXEC;
    const Fd again{::open(path.c_str(), flags)};
    return again ? again.duplicate().value() : std::move(disk);
}

void check_answers(test::DriverQueue& queue) {
    while (const auto used = queue.take_used()) {
        if (used->head >= queue.size()) std::abort();
        if (used->written == 0) continue;
        const auto answer = queue.written(*used);
        if (answer.empty() || answer.back() > std::byte{VIRTIO_BLK_S_UNSUPP}) std::abort();
    }
}

void run(test::Input input) {
    static const auto loop = io::make_loop().value();
    const auto options = input.number<std::uint8_t>();
    const auto disk =
        storage::FileBlock::create(*loop, make_disk((options & 1) != 0, (options & 2) != 0));
    if (!disk) std::abort();
    test::FakeGuest guest{2_MiB};
    Blk device{**disk, {.queue_count = 2, .queue_size = 64, .serial = "fuzz"}};
    const auto features = input.number<std::uint64_t>();
    test::ServedDevice served{
        *loop, guest, device,
        features & (device.traits().features | ring_event_index | ring_indirect_descriptors)};
    test::Budget budgets[2];
    while (!input.empty()) {
        const auto what = input.number<std::uint8_t>();
        const std::size_t queue = what & 1;
        if (what & 2) device.write_config(input.number<std::uint8_t>() % 57, input.bytes(4));
        if (!offer_chain(input, served.driver(queue), budgets[queue])) break;
        if (what & 4) continue;  // several at once
        served.ring(queue);
        test::turn(*loop);
        check_answers(served.driver(queue));
    }
    for (const std::size_t queue : {0, 1}) {
        served.ring(queue);
        test::turn(*loop);
    }
    served.stop();
    if (!served.errors().empty()) std::abort();
}

}  // namespace
}  // namespace sheaf::virtio

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sheaf::virtio::run({data, size});
    return 0;
}
