#include "devices/virtio/queue.h"

#include <array>

#include "queue_fixture.h"

namespace sheaf::virtio {
namespace {

using Used = test::DriverQueue::Used;

TEST(Queue, GivesReadableAndWritablePartsInOrder) {
    QueueFixture f;
    const auto head = f.driver.chain().readable(std::uint64_t{7}).writable(4).offer();
    {
        auto chain = f.queue->try_next();
        ASSERT_TRUE(chain);
        EXPECT_EQ(chain->readable().size(), 8);
        EXPECT_EQ(chain->writable().size(), 4);
        EXPECT_EQ(chain->readable().take<std::uint64_t>().value(), 7U);
        ASSERT_TRUE(chain->writable().put(std::uint32_t{0x01020304}));
        chain->set_written(4);
    }
    EXPECT_FALSE(f.driver.take_used());  // published once, at the end of the turn
    test::turn(*f.loop);
    const auto used = f.driver.take_used();
    ASSERT_TRUE(used);
    EXPECT_EQ(*used, (Used{head, 4}));
    EXPECT_EQ(load<std::uint32_t>(f.driver.written(*used)), 0x01020304U);
    EXPECT_EQ(f.owner.interrupts, 1U);
}

TEST(Queue, BatchIsPublishedWithOneInterrupt) {
    QueueFixture f;
    for (auto i = 0; i < 5; ++i) f.driver.chain().writable(16).offer();
    EXPECT_EQ(f.drain(), 5U);
    test::turn(*f.loop);
    EXPECT_EQ(f.driver.used_index(), 5);
    EXPECT_EQ(f.owner.interrupts, 1U);
    test::turn(*f.loop);
    EXPECT_EQ(f.owner.interrupts, 1U);
}

TEST(Queue, NeighboursInMemoryBecomeOnePiece) {
    QueueFixture f;
    const auto at = f.guest.allocate(4096);
    f.driver.chain()
        .piece(at, 100, 0)
        .piece(at + 100, 28, 0)
        .piece(at + 128, 64, test::descriptor_flag::write)
        .piece(at + 192, 64, test::descriptor_flag::write)
        .piece(at + 512, 64, test::descriptor_flag::write)
        .offer();
    auto chain = f.queue->try_next();
    ASSERT_TRUE(chain);
    ASSERT_EQ(chain->readable().vectors().size(), 1U);
    EXPECT_EQ(chain->readable().vectors()[0].iov_len, 128U);
    ASSERT_EQ(chain->writable().vectors().size(), 2U);
    EXPECT_EQ(chain->writable().vectors()[0].iov_len, 128U);
    EXPECT_EQ(chain->writable().vectors()[0].iov_base, f.guest.view(at + 128, 1).data());
    EXPECT_EQ(chain->writable().vectors()[1].iov_len, 64U);
}

TEST(Queue, IndirectTableMayBeAsLongAsTheQueue) {
    QueueFixture f;
    auto builder = f.driver.chain();
    for (auto i = 0; i < f.driver.size(); ++i) {
        f.guest.allocate(8);  // so that no two pieces are neighbours
        builder.writable(24);
    }
    builder.offer_indirect();
    const auto chain = f.queue->try_next();
    ASSERT_TRUE(chain) << f.owner.fault;
}

TEST(Queue, DirectDescriptorsMayLeadToAnIndirectTable) {
    QueueFixture f;
    const auto head = f.driver.chain().readable(std::uint32_t{1}).writable(1).offer();
    const std::array table = {Descriptor{.address = f.guest.allocate(64).value(),
                                         .length = 64,
                                         .flags = test::descriptor_flag::write}};
    const auto at = f.guest.place(std::as_bytes(std::span{table}));
    f.driver.set_descriptor(f.driver.descriptor(head).next,
                            {.address = at.value(),
                             .length = sizeof(Descriptor),
                             .flags = test::descriptor_flag::indirect});
    auto chain = f.queue->try_next();
    ASSERT_TRUE(chain) << f.owner.fault;
    EXPECT_EQ(chain->readable().size(), 4U);
    EXPECT_EQ(chain->writable().size(), 64U);
}

io::Task<void> count_chains(Queue& queue, unsigned& count, bool& ended) {
    while (auto chain = co_await queue.next()) ++count;
    ended = true;
}

TEST(Queue, WaiterIsResumedByKicksThatBringSomething) {
    QueueFixture f;
    auto count = 0U;
    auto ended = false;
    io::TaskGroup group;
    group.start(count_chains(*f.queue, count, ended));
    f.queue->kick();
    f.queue->kick();
    EXPECT_FALSE(ended);
    f.driver.chain().writable(1).offer();
    f.driver.chain().writable(1).offer();
    EXPECT_TRUE(f.driver.must_ring());
    f.queue->kick();
    EXPECT_EQ(count, 2U);
    EXPECT_FALSE(ended);
    f.queue->stop();
    EXPECT_TRUE(ended);
    EXPECT_TRUE(group.empty());
}

TEST(Queue, BrokenQueueEndsItsWaiterAndReportsWhatIsOut) {
    QueueFixture f;
    f.driver.chain().writable(8).offer();
    auto held = f.queue->try_next();
    auto count = 0U;
    auto ended = false;
    io::TaskGroup group;
    group.start(count_chains(*f.queue, count, ended));
    f.driver.put_available(0xffff);
    f.queue->kick();
    EXPECT_TRUE(ended);
    EXPECT_EQ(f.owner.faults, 1U);
    f.queue->kick();
    EXPECT_FALSE(f.queue->try_next());
    EXPECT_EQ(f.owner.faults, 1U);
    held.reset();
    test::turn(*f.loop);
    EXPECT_EQ(f.driver.used_index(), 1);
}

TEST(Queue, StoppedQueueLeavesTheRingAlone) {
    QueueFixture f;
    f.driver.chain().writable(8).offer();
    f.driver.chain().writable(8).offer();
    auto held = f.queue->try_next();
    f.queue->try_next();  // given back, not yet published
    f.queue->stop();
    held.reset();
    test::turn(*f.loop);
    EXPECT_EQ(f.driver.used_index(), 0);
    EXPECT_EQ(f.owner.interrupts, 0U);
    EXPECT_FALSE(f.queue->try_next());
}

TEST(Queue, IndicesWrapManyTimes) {
    QueueFixture f;
    for (auto round = 0; round < 70'000 / 16; ++round) {
        for (auto i = 0; i < 16; ++i) {
            const auto at = f.guest.end().value() - 4096;
            f.driver.chain().piece(Gpa{at}, 1, test::descriptor_flag::write).offer();
        }
        ASSERT_EQ(f.drain(), 16U) << f.owner.fault;
        test::turn(*f.loop);
        for (auto i = 0; i < 16; ++i) ASSERT_TRUE(f.driver.take_used());
        ASSERT_FALSE(f.driver.take_used());
    }
}

TEST(Queue, WithoutEventIndexFlagsAreObeyed) {
    QueueFixture f{{.event_index = false}};
    f.driver.disable_interrupts();
    f.driver.chain().writable(1).offer();
    EXPECT_TRUE(f.driver.must_ring());
    EXPECT_EQ(f.drain(), 1U);
    test::turn(*f.loop);
    EXPECT_EQ(f.owner.interrupts, 0U);
    f.driver.enable_interrupts();
    f.driver.chain().writable(1).offer();
    EXPECT_EQ(f.drain(), 1U);
    test::turn(*f.loop);
    EXPECT_EQ(f.owner.interrupts, 1U);
}

TEST(Queue, WithoutEventIndexDoorbellsAreDeclinedWhileChainsCome) {
    QueueFixture f{{.event_index = false}};
    f.driver.chain().writable(1).offer();
    auto chain = f.queue->try_next();
    EXPECT_EQ(f.driver.used_flags(), 1);
    auto count = 0U;
    auto ended = false;
    io::TaskGroup group;
    group.start(count_chains(*f.queue, count, ended));  // finds none and waits
    test::turn(*f.loop);
    EXPECT_EQ(f.driver.used_flags(), 1);  // the loop is awake and sees for itself
    test::let_sleep(*f.loop);
    EXPECT_EQ(f.driver.used_flags(), 0);
    f.queue->stop();
}

TEST(Queue, WhatIsOfferedWhileTheLoopIsAwakeNeedsNoDoorbell) {
    QueueFixture f;
    auto count = 0U;
    auto ended = false;
    io::TaskGroup group;
    group.start(count_chains(*f.queue, count, ended));
    for (auto offered = 1U; offered <= 3; ++offered) {
        f.driver.chain().writable(1).offer();
        test::let_sleep(*f.loop);
        EXPECT_EQ(count, offered);
    }
    EXPECT_FALSE(ended);
    f.driver.set_available_index(1000);  // more than the queue holds
    test::let_sleep(*f.loop);
    EXPECT_TRUE(ended);
    EXPECT_EQ(f.owner.faults, 1U);
}

TEST(Queue, AreasMustBeAlignedAndInMemory) {
    QueueFixture f;
    const auto refuses = [&](auto change) {
        auto setup = f.driver.setup();
        change(setup);
        return !Queue::create(setup, f.guest.memory(), *f.loop, f.owner);
    };
    EXPECT_FALSE(refuses([](QueueSetup&) {}));
    EXPECT_TRUE(refuses([](QueueSetup& setup) { setup.size = 0; }));
    EXPECT_TRUE(refuses([](QueueSetup& setup) { setup.size = 3; }));
    EXPECT_TRUE(refuses([](QueueSetup& setup) { setup.descriptors = setup.descriptors + 8; }));
    EXPECT_TRUE(refuses([](QueueSetup& setup) { setup.driver_area = setup.driver_area + 1; }));
    EXPECT_TRUE(refuses([](QueueSetup& setup) { setup.device_area = setup.device_area + 2; }));
    const auto end = f.guest.end();
    EXPECT_TRUE(refuses([&](QueueSetup& setup) { setup.descriptors = end; }));
    EXPECT_TRUE(refuses([&](QueueSetup& setup) { setup.driver_area = Gpa{end.value() - 2}; }));
    EXPECT_TRUE(refuses([&](QueueSetup& setup) { setup.device_area = Gpa{end.value() - 4}; }));
    EXPECT_TRUE(refuses([](QueueSetup& setup) { setup.device_area = Gpa{~std::uint64_t{3}}; }));
    EXPECT_TRUE(refuses([](QueueSetup& setup) { setup.descriptors = Gpa{~std::uint64_t{15}}; }));
}

}  // namespace
}  // namespace sheaf::virtio
