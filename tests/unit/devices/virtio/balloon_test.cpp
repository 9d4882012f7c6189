#include "devices/virtio/balloon.h"

#include <linux/virtio_balloon.h>

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "support/served_device.h"
#include "support/turns.h"

namespace sheaf::virtio {
namespace {

constexpr std::uint64_t page = 4096;
constexpr auto statistics_and_reports =
    feature(VIRTIO_BALLOON_F_STATS_VQ) | feature(VIRTIO_BALLOON_F_REPORTING);

struct [[gnu::packed]] Statistic {
    std::uint16_t tag;
    std::uint64_t value;
};

class BalloonTest : public testing::Test {
  protected:
    void serve(Features features = statistics_and_reports) {
        served = std::make_unique<test::ServedDevice>(*loop, guest, device, features);
    }
    // Pages of the guest that nobody else uses, full of one byte.
    Gpa filled(std::uint64_t count) {
        const auto start = guest.allocate(count * page, page);
        std::ranges::fill(guest.view(start, count * page), std::byte{0x5a});
        return start;
    }
    bool is_zero(Gpa start, std::uint64_t count) const {
        return std::ranges::all_of(guest.view(start, count * page),
                                   [](std::byte byte) { return byte == std::byte{0}; });
    }
    bool is_kept(Gpa start, std::uint64_t count) const {
        return std::ranges::all_of(guest.view(start, count * page),
                                   [](std::byte byte) { return byte == std::byte{0x5a}; });
    }
    static std::uint32_t number(Gpa address) {
        return static_cast<std::uint32_t>(address.value() / page);
    }
    void send_pages(std::size_t queue, std::vector<std::uint32_t> pages) {
        served->driver(queue).chain().readable(std::as_bytes(std::span{pages})).offer();
        ASSERT_TRUE(served->answer(queue));
    }
    void report(std::size_t queue, Gpa start, std::uint32_t length) {
        served->driver(queue).chain().piece(start, length, test::descriptor_flag::write).offer();
        const auto used = served->answer(queue);
        ASSERT_TRUE(used);
        EXPECT_EQ(used->written, 0u);
    }
    std::uint32_t config(std::uint32_t offset) const {
        std::uint32_t value = 0;
        device.read_config(offset, std::as_writable_bytes(std::span{&value, 1}));
        return value;
    }
    const Balloon::Account& account() const { return device.account(); }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    test::FakeGuest guest{64_MiB};
    Balloon device{*loop, guest.memory(), {.statistics_every = std::chrono::milliseconds{1}}};
    std::unique_ptr<test::ServedDevice> served;
};

TEST_F(BalloonTest, InflatedPagesAreGivenBack) {
    serve();
    const auto start = filled(6);
    // In any order, with a neighbour in between that stays.
    send_pages(0, {number(start) + 4, number(start), number(start) + 2, number(start) + 1});
    EXPECT_TRUE(is_zero(start, 3));
    EXPECT_TRUE(is_kept(start + 3 * page, 1));
    EXPECT_TRUE(is_zero(start + 4 * page, 1));
    EXPECT_TRUE(is_kept(start + 5 * page, 1));
    EXPECT_EQ(account().inflated.value(), 4 * page);
    EXPECT_EQ(account().refused.value(), 0u);
    send_pages(1, {number(start), number(start) + 1});
    EXPECT_EQ(account().deflated.value(), 2 * page);
}

TEST_F(BalloonTest, PagesThatAreNotMemoryAreRefusedAlone) {
    serve();
    const auto start = filled(1);
    send_pages(0, {number(guest.end()), ~0U, number(start), number(guest.end()) - 1});
    EXPECT_TRUE(is_zero(start, 1));
    EXPECT_EQ(account().inflated.value(), 2 * page);
    EXPECT_EQ(account().refused.value(), 2u);
}

TEST_F(BalloonTest, TooManyPagesOrHalfOnesAreRefused) {
    serve();
    const auto start = filled(1);
    send_pages(0, std::vector(1025, number(start)));
    const auto half = std::array{std::byte{1}, std::byte{0}, std::byte{0}};
    served->driver(0).chain().readable(half).offer();
    ASSERT_TRUE(served->answer(0));
    EXPECT_TRUE(is_kept(start, 1));
    EXPECT_EQ(account().inflated.value(), 0u);
    EXPECT_EQ(account().refused.value(), 2u);
    send_pages(0, std::vector(1024, number(start)));
    EXPECT_TRUE(is_zero(start, 1));
}

TEST_F(BalloonTest, ReportedRangesAreGivenBackInWholePages) {
    serve();
    const auto start = filled(8);
    report(3, start + 100, 3 * page);
    EXPECT_TRUE(is_kept(start, 1));
    EXPECT_TRUE(is_zero(start + page, 2));
    EXPECT_TRUE(is_kept(start + 3 * page, 5));
    EXPECT_EQ(account().reported.value(), 2 * page);
}

TEST_F(BalloonTest, ALongReportTakesTurns) {
    serve();
    constexpr std::uint32_t length = 40_MiB;
    const auto start = filled(length / page);
    const auto other = filled(1);
    served->driver(3).chain().piece(start, length, test::descriptor_flag::write).offer();
    served->ring(3);
    EXPECT_FALSE(served->driver(3).take_used()) << "not all at once";
    send_pages(0, {number(other)});
    EXPECT_LT(account().reported.value(), length) << "another queue was served meanwhile";
    ASSERT_TRUE(test::run_until(*loop, [&] { return served->driver(3).used_index() == 1; }));
    EXPECT_TRUE(is_zero(start, length / page));
    EXPECT_EQ(account().reported.value(), length);
}

TEST_F(BalloonTest, AStoppedQueueEndsALongReport) {
    serve();
    constexpr std::uint32_t length = 40_MiB;
    const auto start = filled(length / page);
    served->driver(3).chain().piece(start, length, test::descriptor_flag::write).offer();
    served->ring(3);
    served->stop();
    EXPECT_LT(account().reported.value(), length);
}

// Drivers number the queue of reports 3 or 4, or 2 without statistics.
TEST_F(BalloonTest, ReportsComeByAnyNumber) {
    serve(feature(VIRTIO_BALLOON_F_REPORTING));
    for (const std::size_t queue : {2, 3, 4}) {
        const auto start = filled(2);
        report(queue, start, 2 * page);
        EXPECT_TRUE(is_zero(start, 2)) << queue;
    }
}

TEST_F(BalloonTest, ReportsThatWereNotNegotiatedChangeNothing) {
    serve(feature(VIRTIO_BALLOON_F_STATS_VQ));
    const auto start = filled(2);
    report(3, start, 2 * page);
    EXPECT_TRUE(is_kept(start, 2));
}

TEST_F(BalloonTest, PoisonedPagesStayAsTheyAre) {
    serve(statistics_and_reports | feature(VIRTIO_BALLOON_F_PAGE_POISON));
    const auto start = filled(2);
    device.write_config(12, bytes_of(std::uint32_t{0xaaaaaaaa}));
    EXPECT_EQ(config(12), 0xaaaaaaaa);
    report(3, start, 2 * page);
    EXPECT_TRUE(is_kept(start, 2));
    device.write_config(12, bytes_of(std::uint32_t{0}));
    report(3, start, 2 * page);
    EXPECT_TRUE(is_zero(start, 2)) << "the guest fills free pages with zeroes";
}

TEST_F(BalloonTest, StatisticsAreAskedForAgainAndAgain) {
    serve();
    EXPECT_FALSE(device.statistics().value(GuestStatistic::free));
    EXPECT_TRUE(device.statistics().values().empty());
    const auto list = std::to_array<Statistic>({{4, 1000}, {5, ~0ULL}, {0xffff, 7}, {16, 7}});
    for (unsigned round = 1; round <= 3; ++round) {
        served->driver(2).chain().readable(std::as_bytes(std::span{list})).offer();
        ASSERT_TRUE(served->answer(2)) << "the buffer comes back to be filled again";
        EXPECT_EQ(device.statistics().updates(), round);
    }
    EXPECT_EQ(device.statistics().value(GuestStatistic::free), 1000u);
    EXPECT_EQ(device.statistics().value(GuestStatistic::total), ~0ULL >> 1) << "the most there is";
    EXPECT_FALSE(device.statistics().value(GuestStatistic::caches));
    const auto values =
        std::map<std::string, std::uint64_t>{{"free_bytes", 1000}, {"total_bytes", ~0ULL >> 1}};
    EXPECT_EQ(device.statistics().values(), values);
    MetricsRegistry registry;
    const auto shown = device.statistics().show(registry, {{"machine", "a"}});
    ASSERT_TRUE(shown) << shown.error().text();
    EXPECT_NE(registry.text().find("sheaf_guest_free_bytes{machine=\"a\"} 1000\n"),
              std::string::npos);
    EXPECT_NE(registry.text().find("sheaf_guest_statistics_total{machine=\"a\"} 3\n"),
              std::string::npos);
}

TEST_F(BalloonTest, AListOfStatisticsIsBounded) {
    serve();
    std::vector<Statistic> list(64, Statistic{6, 1});
    list.push_back({6, 2});
    served->driver(2).chain().readable(std::as_bytes(std::span{list})).offer();
    ASSERT_TRUE(served->answer(2));
    EXPECT_EQ(device.statistics().value(GuestStatistic::available), 1u);
}

TEST_F(BalloonTest, TheHostAsksAndTheGuestAnswers) {
    serve();
    device.inflate_to(1_MiB + 1);
    EXPECT_EQ(config(0), 256u);
    EXPECT_EQ(served->config_changes(), 1u);
    device.inflate_to(1_GiB);
    EXPECT_EQ(config(0), 64_MiB / page) << "no more than there is";
    device.write_config(4, bytes_of(std::uint32_t{100}));
    EXPECT_EQ(device.actual(), 100 * page);
    device.write_config(0, bytes_of(std::uint32_t{1}));
    device.write_config(5, bytes_of(std::uint32_t{1}));
    device.write_config(4, bytes_of(std::uint16_t{1}));
    EXPECT_EQ(config(0), 64_MiB / page) << "the driver does not say what is wanted";
    EXPECT_EQ(device.actual(), 100 * page) << "nor half of what there is";
    served->stop();
    EXPECT_EQ(device.actual(), 0u) << "a driver begins with an empty balloon";
}

}  // namespace
}  // namespace sheaf::virtio
