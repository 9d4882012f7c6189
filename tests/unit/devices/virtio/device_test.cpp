// Threads cross in a device as device.h allows: vCPUs write registers, ring and reset while the
// loop serves. Run under ThreadSanitizer (preset tsan), which sees every access that nothing
// orders.

#include "devices/virtio/device.h"

#include <atomic>
#include <latch>
#include <thread>

#include <gtest/gtest.h>

#include "devices/virtio/blk.h"
#include "io/make_loop.h"
#include "ram_block.h"
#include "support/driven_transport.h"
#include "support/turns.h"
#include "vmm/layout.h"

namespace sheaf::virtio {
namespace {

namespace common = test::common;
namespace layout = pci_layout;

constexpr int rounds = 100;

class DeviceThreadsTest : public testing::Test {
  protected:
    // Turns the loop until `count` vCPUs have said that they are done; then they are joined.
    void serve_while(std::vector<std::jthread>& threads) {
        EXPECT_TRUE(test::run_until(*loop, [&] { return ended == threads.size(); }));
        over = true;
        threads.clear();
    }
    // A driver's life on one vCPU: negotiate, ask for the disk's name, reset and wait for that.
    void live(test::DriverQueue& queue) {
        ASSERT_NE(driven.negotiate(version_1), 0);
        driven.enable(queue.setup(), queue.setup().index);
        driven.drive();
        constexpr std::array<std::uint32_t, 4> identify = {8};
        queue.chain().readable(identify).writable(20).writable(1).offer();
        driven.notify(queue.setup().index);
        while (!over && queue.used_index() == 0) std::this_thread::yield();
        driven.reset();
        while (!over && driven.status() != 0) std::this_thread::yield();
        ++lives;
    }

    const std::unique_ptr<io::Loop> loop = io::make_loop().value();
    test::FakeGuest guest{64_MiB};
    storage::RamBlock disk{1_MiB};
    test::DrivenTransport driven{
        *loop, guest,
        std::make_unique<Blk>(disk, Blk::Options{.queue_count = 2, .queue_size = 16})};
    std::atomic<unsigned> ended = 0;
    std::atomic<unsigned> lives = 0;
    std::atomic<bool> over = false;  // the loop no longer turns: nobody waits for it
};

TEST_F(DeviceThreadsTest, DriversLiveAndResetWhileTheLoopServes) {
    std::vector<test::DriverQueue> queues;
    for (int i = 0; i < rounds; ++i)
        queues.emplace_back(
            guest, test::DriverQueue::Options{.size = 16, .event_index = false, .indirect = false});
    std::vector<std::jthread> threads;
    threads.emplace_back([&] {
        for (auto& queue : queues) live(queue);
        ++ended;
    });
    // Another vCPU reads, rings and moves vectors and BARs meanwhile.
    threads.emplace_back([&] {
        const auto first = driven.config<std::uint32_t>(pci::config::bars);
        const auto table = Gpa{driven.config<std::uint32_t>(pci::config::bars + 4)};
        for (std::uint32_t i = 0; ended == 0 && !over; ++i) {
            driven.notify(static_cast<std::uint16_t>(i % 3));
            driven.get<std::uint8_t>(layout::isr);
            driven.get<std::uint32_t>(layout::device);
            driven.set(layout::device + 32, static_cast<std::uint8_t>(i % 2));
            driven.memory().write(table.value() + 16 * (i % 3) + 12, bytes_of(i % 2));
            driven.set_config(driven.capability(layout::msix_capability) + 2,
                              static_cast<std::uint16_t>(i % 2 == 0 ? 0x8000 : 0xc000));
            driven.set_config(pci::config::bars, first);
        }
        ++ended;
    });
    serve_while(threads);
    EXPECT_EQ(lives, unsigned{rounds});
    EXPECT_EQ(driven.transport().faults(), 0u);
    EXPECT_EQ(disk.asked.size(), 0u) << "asking for a name does not touch the disk";
}

// Two vCPUs that know nothing of each other write whatever they like.
TEST_F(DeviceThreadsTest, HostileDriversFightOverOneDevice) {
    test::DriverQueue queue{guest, {.size = 16, .event_index = false, .indirect = false}};
    std::vector<std::jthread> threads;
    for (unsigned seed = 1; seed <= 2; ++seed) {
        threads.emplace_back([&, seed] {
            for (unsigned i = 0; i < 20u * rounds; ++i) {
                switch ((i * 7 + seed * 3 + i / 11) % 8) {
                    case 0: driven.reset(); break;
                    case 1: driven.negotiate(version_1); break;
                    case 2: driven.enable(queue.setup(), 1); break;
                    case 3: driven.drive(); break;
                    case 4:
                        driven.set_config(pci::config::command,
                                          static_cast<std::uint16_t>(i % 3 == 0 ? 0 : 2));
                        break;
                    case 5: driven.open_vector(i % 3); break;
                    default: driven.notify(static_cast<std::uint16_t>(i % 2)); break;
                }
            }
            ++ended;
        });
    }
    serve_while(threads);
    driven.set_config(pci::config::command, pci::command_memory);
    driven.reset();
    EXPECT_TRUE(test::run_until(*loop, [this] { return driven.status() == 0; }));
    EXPECT_TRUE(driven.doorbells().places().empty());
}

}  // namespace
}  // namespace sheaf::virtio
