#include "devices/legacy/cmos.h"

#include <gtest/gtest.h>

#include "base/units.h"

namespace sheaf::legacy {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;

class FakeClock final : public WallClock {
  public:
    TimePoint now() const override { return time; }
    // Saturday.
    TimePoint time = sys_days{year{2028} / 12 / 30} + std::chrono::hours{23} +
                     std::chrono::minutes{58} + seconds{59} + milliseconds{250};
};

class CmosTest : public testing::Test {
  protected:
    unsigned get(unsigned index) {
        select(index);
        std::byte value{};
        cmos.read(1, std::span{&value, 1});
        return std::to_integer<unsigned>(value);
    }
    void set(unsigned index, unsigned value) {
        select(index);
        write(1, value);
    }
    void select(unsigned index) { write(0, index); }
    void write(std::uint64_t port, unsigned value) {
        const auto byte = static_cast<std::byte>(value);
        cmos.write(port, std::span{&byte, 1});
    }
    // Century, year, month, day, weekday, hour, minute, second, as the registers have them.
    std::vector<unsigned> time() {
        std::vector<unsigned> values;
        for (const unsigned index : {0x32, 0x09, 0x08, 0x07, 0x06, 0x04, 0x02, 0x00})
            values.push_back(get(index));
        return values;
    }
    using Values = std::vector<unsigned>;

    FakeClock clock;
    Cmos cmos{clock, {.memory_below_4g = 3_GiB, .memory_above_4g = 5_GiB, .cpus = 4}};
};

TEST_F(CmosTest, TellsTheTimeInUtcAtOnce) {
    EXPECT_EQ(get(0x0b), 0x02u) << "BCD, 24 hours";
    EXPECT_EQ(get(0x0d), 0x80u) << "the time is valid";
    EXPECT_EQ(time(), (Values{0x20, 0x28, 0x12, 0x30, 7, 0x23, 0x58, 0x59}));
    clock.time += std::chrono::minutes{1} + seconds{1};
    EXPECT_EQ(time(), (Values{0x20, 0x28, 0x12, 0x31, 1, 0x00, 0x00, 0x00}));
    clock.time += std::chrono::days{1};
    EXPECT_EQ(time(), (Values{0x20, 0x29, 0x01, 0x01, 2, 0x00, 0x00, 0x00}));
}

TEST_F(CmosTest, FormatsAreThoseOfRegisterB) {
    set(0x0b, 0x06);  // binary, 24 hours
    EXPECT_EQ(time(), (Values{20, 28, 12, 30, 7, 23, 58, 59}));
    set(0x0b, 0x00);  // BCD, 12 hours
    EXPECT_EQ(get(0x04), 0x91u);
    set(0x0b, 0x04);  // binary, 12 hours
    EXPECT_EQ(get(0x04), 0x8bu);
    clock.time = sys_days{year{2028} / 1 / 1};
    EXPECT_EQ(get(0x04), 12u) << "midnight";
    clock.time += std::chrono::hours{12};
    EXPECT_EQ(get(0x04), 0x8cu) << "noon";
}

TEST_F(CmosTest, AnUpdateIsAnnounced) {
    EXPECT_EQ(get(0x0a), 0x26u);
    clock.time += milliseconds{750} - microseconds{245};
    EXPECT_EQ(get(0x0a), 0x26u);
    clock.time += microseconds{1};
    EXPECT_EQ(get(0x0a), 0xa6u);
    set(0x0b, 0x82);
    EXPECT_EQ(get(0x0a), 0x26u) << "none is made while the clock is set";
    set(0x0b, 0x02);
    clock.time += microseconds{244};
    EXPECT_EQ(get(0x0a), 0x26u);
}

TEST_F(CmosTest, AWrittenTimeHoldsAndRunsOn) {
    set(0x0b, 0x82);
    clock.time += seconds{10};
    EXPECT_EQ(get(0x00), 0x59u) << "the time stands still";
    set(0x32, 0x19);
    set(0x09, 0x99);
    set(0x08, 0x02);
    set(0x07, 0x28);
    set(0x04, 0x23);
    set(0x02, 0x59);
    set(0x00, 0x58);
    EXPECT_EQ(get(0x00), 0x58u);
    set(0x0b, 0x02);
    EXPECT_EQ(time(), (Values{0x19, 0x99, 0x02, 0x28, 1, 0x23, 0x59, 0x58}));
    clock.time += seconds{2};
    EXPECT_EQ(time(), (Values{0x19, 0x99, 0x03, 0x01, 2, 0x00, 0x00, 0x00}));
    set(0x02, 0x30);  // while it runs
    EXPECT_EQ(time(), (Values{0x19, 0x99, 0x03, 0x01, 2, 0x00, 0x30, 0x00}));
}

TEST_F(CmosTest, ATimeThatDoesNotExistIsIgnored) {
    for (const auto& [index, value] : std::vector<std::pair<unsigned, unsigned>>{
             {0x00, 0x60}, {0x02, 0x4f}, {0x04, 0x24}, {0x07, 0x32}, {0x08, 0x00}, {0x09, 0xa0}}) {
        set(0x0b, 0x82);
        set(index, value);
        set(0x0b, 0x02);
        EXPECT_EQ(get(0x08), 0x12u) << index;
        EXPECT_EQ(get(index), get(index) & 0x7f) << index;
        EXPECT_EQ(time(), (Values{0x20, 0x28, 0x12, 0x30, 7, 0x23, 0x58, 0x59})) << index;
    }
    set(0x08, 0x02);  // the thirtieth of February
    EXPECT_EQ(get(0x08), 0x12u);
}

TEST_F(CmosTest, RegisterCTellsOfASecondOnce) {
    EXPECT_EQ(get(0x0c), 0u);
    clock.time += seconds{1};
    EXPECT_EQ(get(0x0c), 0x10u);
    EXPECT_EQ(get(0x0c), 0u);
    set(0x0c, 0xff);
    set(0x0d, 0x00);
    EXPECT_EQ(get(0x0c), 0u);
    EXPECT_EQ(get(0x0d), 0x80u);
}

TEST_F(CmosTest, FirmwareFindsTheMemory) {
    const auto word = [this](unsigned index) { return get(index) | get(index + 1) << 8; };
    EXPECT_EQ(word(0x15), 639u);
    EXPECT_EQ(word(0x17), 0xffffu);
    EXPECT_EQ(word(0x30), 0xffffu);
    EXPECT_EQ(16_MiB + word(0x34) * 64_KiB, 3_GiB);
    EXPECT_EQ((word(0x5b) | get(0x5d) << 16) * 64_KiB, 5_GiB);
    EXPECT_EQ(get(0x5f), 3u);
}

TEST_F(CmosTest, ASmallMachineIsNoLargerThanItIs) {
    Cmos small{clock, {.memory_below_4g = 2_MiB, .memory_above_4g = 0, .cpus = 1}};
    const auto at = [&](unsigned index) {
        const auto selected = static_cast<std::byte>(index);
        small.write(0, std::span{&selected, 1});
        std::byte value{};
        small.read(1, std::span{&value, 1});
        return std::to_integer<unsigned>(value);
    };
    EXPECT_EQ(at(0x30) | at(0x31) << 8, 1024u);
    EXPECT_EQ(at(0x34) | at(0x35) << 8, 0u);
    EXPECT_EQ(at(0x5b) | at(0x5c) << 8 | at(0x5d) << 16, 0u);
}

TEST_F(CmosTest, MemoryKeepsWhatIsWritten) {
    set(0x0f, 0x0a);
    set(0x7f, 0x55);
    set(0xcf, 0x09);  // the NMI mask is not part of the index
    EXPECT_EQ(get(0x4f), 0x09u);
    EXPECT_EQ(get(0x0f), 0x0au);
    EXPECT_EQ(get(0xff), 0x55u);
}

TEST_F(CmosTest, AWordWritesIndexAndValue) {
    const std::array<std::byte, 2> word{std::byte{0x40}, std::byte{0x77}};
    cmos.write(0, word);
    std::array<std::byte, 2> answer{};
    cmos.read(0, answer);
    EXPECT_EQ(answer[0], std::byte{0xff}) << "the index cannot be read";
    EXPECT_EQ(answer[1], std::byte{0x77});
}

}  // namespace
}  // namespace sheaf::legacy
