#include "devices/pci/function.h"

#include <gtest/gtest.h>

#include "vmm/layout.h"

namespace sheaf::pci {
namespace {

namespace layout = vmm::layout;

constexpr std::uint32_t window = layout::mmio_window.value();
constexpr std::uint32_t window_end = window + layout::mmio_window_size;

class Handler final : public vmm::BusHandler {
  public:
    std::string_view name() const override { return "test"; }
    void read(std::uint64_t offset, std::span<std::byte> data) override {
        store_register(data, 0x50 + offset);
    }
    void write(std::uint64_t, std::span<const std::byte>) override {}
};

// Two BARs, of 4 and 16 KiB.
class TestFunction final : public Function {
  public:
    explicit TestFunction(vmm::Bus& memory) : Function({.vendor = 1, .device = 2}, memory) {
        add_bar(4096, small);
        add_bar(16384, large);
    }
    void bar_moved(unsigned index, std::optional<Gpa> address) override {
        moves.emplace_back(index, address);
    }

    void set(unsigned offset, std::uint32_t value) { write_config(offset, bytes_of(value)); }
    std::uint32_t get(unsigned offset) {
        std::uint32_t value{};
        read_config(offset, std::as_writable_bytes(std::span{&value, 1}));
        return value;
    }

    Handler small;
    Handler large;
    std::vector<std::pair<unsigned, std::optional<Gpa>>> moves;
};

struct FunctionTest : testing::Test {
    // Whether a device answers there.
    bool answers(std::uint64_t address) const {
        std::byte byte{};
        return memory.read(address, std::span{&byte, 1});
    }
    void assign() { ASSERT_TRUE(function.assign_bars(layout::mmio_window, Gpa{window_end})); }

    static constexpr unsigned bar0 = config::bars;
    static constexpr unsigned bar1 = config::bars + 4;

    vmm::Bus memory;
    TestFunction function{memory};
};

TEST_F(FunctionTest, BarsArePlacedByTheirSizeAndDecoded) {
    EXPECT_FALSE(answers(window));
    const auto next = function.assign_bars(layout::mmio_window, Gpa{window_end});
    ASSERT_TRUE(next);
    EXPECT_EQ(function.get(bar0), window);
    EXPECT_EQ(function.get(bar1), window + 16384);  // aligned to its size
    EXPECT_EQ(next->value(), window + 32768);
    EXPECT_TRUE(answers(window));
    EXPECT_TRUE(answers(window + 4095));
    EXPECT_FALSE(answers(window + 4096));
    EXPECT_TRUE(answers(window + 32767));
    EXPECT_EQ(function.moves.size(), 2u);
}

TEST_F(FunctionTest, AWindowThatIsFullIsAnError) {
    const auto outcome = function.assign_bars(Gpa{window}, Gpa{window + 16384});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::exhausted);
}

TEST_F(FunctionTest, AGuestFindsOutTheSizeByWritingOnes) {
    assign();
    function.set(bar0, 0xffffffff);
    function.set(bar1, 0xffffffff);
    EXPECT_EQ(function.get(bar0), ~0u << 12);
    EXPECT_EQ(function.get(bar1), ~0u << 14);
    EXPECT_EQ(function.get(bar1 + 4), 0u);  // there is no third
    EXPECT_FALSE(answers(window));          // meanwhile it is nowhere
    function.set(bar0, window);
    EXPECT_TRUE(answers(window));
}

TEST_F(FunctionTest, ABarFollowsWhatIsWritten) {
    assign();
    function.moves.clear();
    function.set(bar0, window + 0x100000);
    EXPECT_FALSE(answers(window));
    EXPECT_TRUE(answers(window + 0x100000));
    ASSERT_EQ(function.moves.size(), 1u);
    EXPECT_EQ(function.moves[0], std::pair(0u, std::optional{Gpa{window + 0x100000}}));
}

TEST_F(FunctionTest, DecodingIsTurnedOffAndOn) {
    assign();
    function.moves.clear();
    function.set(config::command, 0);
    EXPECT_FALSE(answers(window));
    EXPECT_FALSE(answers(window + 16384));
    EXPECT_EQ(function.get(bar0), window);
    EXPECT_EQ(function.moves[0], std::pair(0u, std::optional<Gpa>{}));
    function.set(config::command, command_memory);
    EXPECT_TRUE(answers(window));
    EXPECT_TRUE(answers(window + 16384));
}

TEST_F(FunctionTest, ABarOnTopOfAnotherStaysWhereItWas) {
    assign();
    function.set(bar0, window + 16384 + 4096);  // into the middle of the other
    EXPECT_EQ(function.get(bar0), window);
    EXPECT_TRUE(answers(window));
    EXPECT_TRUE(answers(window + 16384));
}

TEST_F(FunctionTest, OutsideOfTheWindowABarIsNowhere) {
    assign();
    for (const auto address : {0u, 0x1000u, window - 4096, window_end, 0xfec00000u, 0xfffff000u}) {
        function.set(bar0, address);
        EXPECT_FALSE(answers(address)) << address;
    }
    function.set(bar1, window_end - 16384);
    EXPECT_TRUE(answers(window_end - 1));
}

TEST_F(FunctionTest, AFunctionLeavesTheBus) {
    {
        TestFunction other{memory};
        ASSERT_TRUE(other.assign_bars(layout::mmio_window, Gpa{window_end}));
        EXPECT_TRUE(answers(window));
    }
    EXPECT_FALSE(answers(window));
    EXPECT_FALSE(answers(window + 16384));
}

}  // namespace
}  // namespace sheaf::pci
