#include "devices/pci/function.h"

#include <gtest/gtest.h>

#include "vmm/layout.h"

namespace sheaf::pci {
namespace {

namespace layout = vmm::layout;

constexpr std::uint32_t big = 0x4000;
constexpr std::uint32_t small = 0x1000;
constexpr auto window = static_cast<std::uint32_t>(layout::mmio_window.value());
constexpr auto window_end = static_cast<std::uint32_t>(window + layout::mmio_window_size);

// Answers every read with its own number.
class Numbered final : public vmm::BusHandler {
  public:
    explicit Numbered(std::uint8_t number) : number_(number) {}
    std::string_view name() const override { return "numbered"; }
    void read(std::uint64_t, std::span<std::byte> data) override { store_register(data, number_); }
    void write(std::uint64_t, std::span<const std::byte>) override {}

  private:
    std::uint8_t number_;
};

class TwoBars final : public Function {
  public:
    TwoBars(vmm::Bus& memory, std::uint8_t first)
        : Function({.vendor = 1, .device = 2}, memory),
          handlers_{Numbered{first}, Numbered{static_cast<std::uint8_t>(first + 1)}} {
        add_bar(big, handlers_[0]);
        add_bar(small, handlers_[1]);
    }
    struct Move {
        unsigned index;
        std::optional<Gpa> to;
        bool operator==(const Move&) const = default;
    };
    std::vector<Move> moves;

  private:
    void bar_moved(unsigned index, std::optional<Gpa> to) override { moves.push_back({index, to}); }
    Numbered handlers_[2];
};

class FunctionTest : public testing::Test {
  protected:
    FunctionTest() { EXPECT_TRUE(function->assign_bars(layout::mmio_window, Gpa{window_end})); }

    static std::uint32_t bar(Function& of, unsigned index) {
        std::uint32_t value = 0;
        of.read_config(config::bars + 4 * index, std::as_writable_bytes(std::span{&value, 1}));
        return value;
    }
    static void set_bar(Function& of, unsigned index, std::uint32_t value) {
        of.write_config(config::bars + 4 * index, bytes_of(value));
    }
    static void set_command(Function& of, std::uint16_t value) {
        of.write_config(config::command, bytes_of(value));
    }
    // Who answers there; 0xff is nobody.
    int at(std::uint32_t address) const {
        std::byte answer{};
        memory.read(address, std::span{&answer, 1});
        return static_cast<int>(answer);
    }

    vmm::Bus memory;
    std::unique_ptr<TwoBars> function = std::make_unique<TwoBars>(memory, 10);
};

TEST_F(FunctionTest, FirmwarePlacesBarsAlignedAndTurnsDecodingOn) {
    EXPECT_EQ(bar(*function, 0), window);
    EXPECT_EQ(bar(*function, 1), window + big);
    EXPECT_EQ(bar(*function, 2), 0u);
    EXPECT_EQ(at(window), 10);
    EXPECT_EQ(at(window + big - 1), 10);
    EXPECT_EQ(at(window + big), 11);
    EXPECT_EQ(at(window + big + small), 0xff);
    auto other = TwoBars{memory, 20};
    const auto next = other.assign_bars(Gpa{window + big + small}, Gpa{window_end});
    ASSERT_TRUE(next);
    EXPECT_EQ(bar(other, 0), window + 2 * big) << "aligned to its own size";
    EXPECT_EQ(next->value(), window + 3 * big + small);
}

TEST_F(FunctionTest, AWindowThatIsFullIsAnErrorAndPlacesNothingBeyond) {
    auto other = TwoBars{memory, 20};
    const auto outcome = other.assign_bars(Gpa{window + 2 * big}, Gpa{window + 3 * big});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::exhausted);
    EXPECT_EQ(at(window + 3 * big), 0xff);
    EXPECT_FALSE(other.assign_bars(Gpa{window_end - small}, Gpa{window_end}));
}

TEST_F(FunctionTest, AllOnesReadBackAsTheSizeAndTheBarIsNowhereMeanwhile) {
    set_bar(*function, 0, 0xffffffff);
    EXPECT_EQ(bar(*function, 0), ~(big - 1));
    EXPECT_EQ(at(window), 0xff);
    EXPECT_EQ(at(0xfffff000), 0xff);
    set_bar(*function, 1, 0xffffffff);
    EXPECT_EQ(bar(*function, 1), ~(small - 1));
    set_bar(*function, 5, 0xffffffff);
    EXPECT_EQ(bar(*function, 5), 0u) << "there is no such BAR";
    set_bar(*function, 0, window);
    EXPECT_EQ(at(window), 10);
    EXPECT_EQ(at(window + big), 0xff);
    set_bar(*function, 1, window + big);
    EXPECT_EQ(at(window + big), 11);
}

TEST_F(FunctionTest, ABarFollowsWhatIsWrittenAndItsLowBitsStayZero) {
    function->moves.clear();
    set_bar(*function, 0, window + 0x100000 + 0xfff);
    EXPECT_EQ(bar(*function, 0), window + 0x100000);
    EXPECT_EQ(at(window), 0xff);
    EXPECT_EQ(at(window + 0x100000), 10);
    using Move = TwoBars::Move;
    EXPECT_EQ(function->moves, (std::vector{Move{0, Gpa{window + 0x100000}}}));
    // Byte by byte as well, from place to place.
    function->write_config(config::bars + 2, bytes_of(std::uint8_t{0x20}));
    EXPECT_EQ(at(window + 0x200000), 10);
    EXPECT_EQ(at(window + 0x100000), 0xff);
}

TEST_F(FunctionTest, WithoutDecodingABarIsNowhereAndItsAddressKept) {
    function->moves.clear();
    set_command(*function, command_bus_master);
    EXPECT_EQ(at(window), 0xff);
    EXPECT_EQ(at(window + big), 0xff);
    EXPECT_EQ(function->moves.size(), 2u);
    set_bar(*function, 0, window + 0x300000);
    EXPECT_EQ(at(window + 0x300000), 0xff);
    set_command(*function, command_memory);
    EXPECT_EQ(at(window + 0x300000), 10);
    EXPECT_EQ(at(window + big), 11);
}

TEST_F(FunctionTest, AnAddressThatIsNotWhollyInTheWindowIsNowhere) {
    for (const auto address : {0u, 0x4000u, 0x100000u, window - big, window_end, 0xfee00000u,
                               static_cast<std::uint32_t>(layout::ecam.value())}) {
        set_bar(*function, 0, address);
        EXPECT_EQ(bar(*function, 0), address);
        EXPECT_EQ(at(address), 0xff) << address;
        EXPECT_EQ(at(window), 0xff);
    }
    set_bar(*function, 0, window_end - big);
    EXPECT_EQ(at(window_end - 1), 10);
}

TEST_F(FunctionTest, ACollisionLeavesEverybodyWhereTheyWere) {
    function->moves.clear();
    set_bar(*function, 1, window);  // on its own first BAR
    EXPECT_EQ(bar(*function, 1), window + big) << "it reads back where it is";
    EXPECT_EQ(at(window), 10);
    EXPECT_EQ(at(window + big), 11);
    auto other = TwoBars{memory, 20};
    ASSERT_TRUE(other.assign_bars(Gpa{window + 0x10000}, Gpa{window_end}));
    set_bar(other, 0, window);
    EXPECT_EQ(bar(other, 0), window + 0x10000);
    EXPECT_EQ(at(window), 10);
    EXPECT_EQ(at(window + 0x10000), 20);
    EXPECT_TRUE(function->moves.empty());
}

TEST_F(FunctionTest, ACollisionOfABarThatWasNowhereLeavesItNowhere) {
    auto other = TwoBars{memory, 20};
    set_bar(other, 0, window);
    set_bar(other, 1, window + 0x10000);
    set_command(other, command_memory);
    EXPECT_EQ(bar(other, 0), 0u);
    EXPECT_EQ(at(window), 10);
    EXPECT_EQ(at(window + 0x10000), 21);
    set_bar(other, 0, window + 0x20000);
    EXPECT_EQ(at(window + 0x20000), 20);
}

TEST_F(FunctionTest, ItsPlacesAreFreeOnceItIsGone) {
    function.reset();
    EXPECT_EQ(at(window), 0xff);
    EXPECT_EQ(at(window + big), 0xff);
}

}  // namespace
}  // namespace sheaf::pci
