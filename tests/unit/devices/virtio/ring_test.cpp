#include "devices/virtio/ring.h"

#include <gtest/gtest.h>

#include "support/driver_queue.h"

namespace sheaf::virtio {
namespace {

constexpr auto as_u16(unsigned value) {
    return static_cast<std::uint16_t>(value);
}

TEST(PassesEvent, IsTrueForTheStepsThatPassTheEntryAlsoWhereIndicesWrap) {
    // Around every interesting place, every event within reach, every short step.
    for (const auto base : {0u, 1u, 32767u, 32768u, 65533u, 65534u, 65535u}) {
        for (unsigned step = 0; step <= 5; ++step) {
            for (unsigned event = 0; event <= 8; ++event) {
                // Entry base + event - 2 is passed where it is one of base to base + step - 1.
                const bool expected = event >= 2 && event - 2 < step;
                EXPECT_EQ(passes_event(as_u16(base + event - 2), as_u16(base), as_u16(base + step)),
                          expected)
                    << base << ' ' << event << ' ' << step;
            }
        }
    }
    EXPECT_FALSE(passes_event(7, 7, 7)) << "no step";
    EXPECT_TRUE(passes_event(40'000, 1, 0)) << "a step over all but one";
}

struct RingUnderTest {
    explicit RingUnderTest(const test::DriverQueue::Options& options)
        : driver(guest, options), ring(test::must(Ring::create(driver.setup(), guest.memory()))) {}
    test::FakeGuest guest;
    test::DriverQueue driver;
    Ring ring;
};

TEST(Ring, EntriesLieAtThePositionModuloTheSize) {
    RingUnderTest f{{.size = 8}};
    for (const auto position : {0u, 7u, 8u, 65535u}) {
        f.driver.set_available_index(as_u16(position));
        f.driver.put_available(as_u16(position ^ 0x55));
        EXPECT_EQ(f.ring.available_index(), as_u16(position + 1));
        EXPECT_EQ(f.ring.available_head(as_u16(position)), as_u16(position ^ 0x55));
        f.ring.put_used(as_u16(position), 3, 0x01020304);
        const auto entry = f.driver.setup().device_area + (4 + 8 * (position % 8));
        EXPECT_EQ(f.guest.read<std::uint32_t>(entry), 3u);
        EXPECT_EQ(f.guest.read<std::uint32_t>(entry + 4), 0x01020304u);
        f.ring.publish_used(as_u16(position + 1));
        EXPECT_EQ(f.driver.used_index(), as_u16(position + 1));
        f.guest.write(entry, std::uint64_t{0});
    }
    EXPECT_EQ(f.driver.used_flags(), 0);
}

TEST(Ring, EventsOfTheDriverAreObeyedAroundTheWrap) {
    RingUnderTest f{{.size = 4}};
    f.driver.set_used_event(65535);
    EXPECT_FALSE(f.ring.wants_interrupt(65533, 65535));
    EXPECT_TRUE(f.ring.wants_interrupt(65535, 0));
    EXPECT_TRUE(f.ring.wants_interrupt(65534, 1));
    EXPECT_FALSE(f.ring.wants_interrupt(0, 1)) << "passed already";
    f.driver.set_used_event(0);
    EXPECT_FALSE(f.ring.wants_interrupt(65535, 0));
    EXPECT_TRUE(f.ring.wants_interrupt(65535, 1));
}

TEST(Ring, WithAnEventIndexTheFlagIsIgnored) {
    RingUnderTest f{{.size = 4}};
    f.guest.write(f.driver.setup().driver_area, std::uint16_t{1});
    f.driver.set_used_event(0);
    EXPECT_TRUE(f.ring.wants_interrupt(0, 1));
    f.ring.decline_doorbells();
    EXPECT_EQ(f.driver.used_flags(), 0) << "and none is set (virtio 1.2, 2.7.10.1)";
    f.ring.ask_for_doorbell(65535);
    EXPECT_EQ(f.driver.available_event(), 65535);
}

TEST(Ring, WithoutAnEventIndexTheFlagsAreAll) {
    RingUnderTest f{{.size = 4, .event_index = false}};
    f.driver.set_used_event(9);
    EXPECT_TRUE(f.ring.wants_interrupt(0, 1));
    f.guest.write(f.driver.setup().driver_area, std::uint16_t{0xfffe});
    EXPECT_TRUE(f.ring.wants_interrupt(0, 1)) << "the other bits say nothing";
    f.guest.write(f.driver.setup().driver_area, std::uint16_t{1});
    EXPECT_FALSE(f.ring.wants_interrupt(0, 1));
    f.ring.decline_doorbells();
    EXPECT_EQ(f.driver.used_flags(), 1);
    f.ring.ask_for_doorbell(7);
    EXPECT_EQ(f.driver.used_flags(), 0);
    EXPECT_EQ(f.driver.available_event(), 0) << "not negotiated, not written";
    f.ring.decline_doorbells();
    EXPECT_EQ(f.driver.used_flags(), 1);
}

TEST(Ring, IsRefusedWhereItIsNoPowerOfTwoOrNotInMemory) {
    test::FakeGuest guest;
    const test::DriverQueue driver{guest, {.size = 16}};
    const auto error_of = [&](auto spoil) {
        auto setup = driver.setup();
        spoil(setup);
        const auto ring = Ring::create(setup, guest.memory());
        return ring ? "none" : ring.error().text();
    };
    EXPECT_EQ(error_of([](QueueSetup&) {}), "none");
    for (const auto size : std::initializer_list<std::uint16_t>{0, 3, 15, 32769, 65535})
        EXPECT_NE(error_of([&](QueueSetup& setup) { setup.size = size; }), "none") << size;
    EXPECT_EQ(error_of([](QueueSetup& setup) {
                  setup.size = 32768;
                  setup.descriptors = setup.driver_area = setup.device_area = Gpa{0};
              }),
              "none");
    const auto end = guest.end().value();
    // The last place where an area still fits, and one alignment further.
    const auto fits = [&](auto area, std::uint64_t length, std::uint64_t alignment) {
        const auto last = (end - length) / alignment * alignment;
        EXPECT_EQ(error_of([&](QueueSetup& setup) { setup.*area = Gpa{last}; }), "none");
        EXPECT_NE(error_of([&](QueueSetup& setup) { setup.*area = Gpa{last + alignment}; }),
                  "none");
        EXPECT_NE(error_of([&](QueueSetup& setup) { setup.*area = Gpa{last - alignment / 2}; }),
                  "none");
        EXPECT_NE(error_of([&](QueueSetup& setup) { setup.*area = Gpa{0 - alignment}; }), "none");
    };
    fits(&QueueSetup::descriptors, 16 * 16, 16);
    fits(&QueueSetup::driver_area, 4 + 2 * 16 + 2, 2);
    fits(&QueueSetup::device_area, 4 + 8 * 16 + 2, 4);
}

}  // namespace
}  // namespace sheaf::virtio
