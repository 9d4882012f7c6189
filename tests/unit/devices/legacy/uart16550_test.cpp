#include "devices/legacy/uart16550.h"

#include <thread>

#include <gtest/gtest.h>

#include "test_backend.h"

namespace sheaf::legacy {
namespace {

enum Register : std::uint64_t {
    data = 0,
    interrupt_enable = 1,
    interrupt_cause = 2,
    fifo_control = 2,
    line_control = 3,
    modem_control = 4,
    line_status = 5,
    modem_status = 6,
    scratch = 7
};

class Line final : public vmm::InterruptLine {
  public:
    void pulse() override { ++pulses; }
    std::atomic<unsigned> pulses = 0;
};

class Uart : public testing::Test {
  protected:
    unsigned in(std::uint64_t offset) {
        std::byte value{};
        port.read(offset, std::span{&value, 1});
        return std::to_integer<unsigned>(value);
    }
    void out(std::uint64_t offset, unsigned value) {
        const auto byte = static_cast<std::byte>(value);
        port.write(offset, std::span{&byte, 1});
    }

    Line line;
    console::TestBackend backend;
    Uart16550 port{line, backend};
};

TEST_F(Uart, PrintsWithoutEverBeingBusy) {
    for (const char letter : std::string_view{"hello\n"}) {
        EXPECT_EQ(in(line_status), 0x60u);
        out(data, static_cast<unsigned char>(letter));
    }
    EXPECT_EQ(backend.printed, "hello\n");
    EXPECT_EQ(line.pulses, 0u) << "no interrupt was enabled";
}

// The steps by which Linux's 8250 driver tells a 16550A from its relatives.
TEST_F(Uart, IsFoundToBeA16550A) {
    out(interrupt_enable, 0);
    EXPECT_EQ(in(interrupt_enable), 0u);
    out(interrupt_enable, 0x0f);
    EXPECT_EQ(in(interrupt_enable), 0x0fu);
    out(interrupt_enable, 0);
    out(modem_control, 0x1a);  // loopback, OUT2, RTS
    EXPECT_EQ(in(modem_status) & 0xf0, 0x90u);
    out(modem_control, 0);
    out(line_control, 0xbf);
    EXPECT_NE(in(interrupt_cause), 0u) << "no 16C950: this is not its enhanced feature register";
    out(line_control, 0);
    out(fifo_control, 1);
    EXPECT_EQ(in(interrupt_cause) >> 6, 3u);
    out(line_control, 0x80);
    out(fifo_control, 0x21);
    EXPECT_EQ(in(interrupt_cause) >> 5, 6u) << "no 16750: there is no FIFO of 64 bytes";
    out(line_control, 0);
    out(interrupt_enable, 0x40);
    EXPECT_EQ(in(interrupt_enable), 0u) << "no XScale: bit 6 does not stick";
    out(scratch, 0xa5);
    EXPECT_EQ(in(scratch), 0xa5u);
}

TEST_F(Uart, TheDivisorHidesBehindItsBit) {
    out(line_control, 0x83);
    out(data, 0x34);
    out(interrupt_enable, 0x12);
    EXPECT_EQ(in(data), 0x34u);
    EXPECT_EQ(in(interrupt_enable), 0x12u);
    out(line_control, 0x03);
    EXPECT_EQ(in(interrupt_enable), 0u);
    EXPECT_EQ(backend.printed, "");
}

TEST_F(Uart, AnEmptyTransmitterInterruptsOnceForEachReason) {
    out(interrupt_enable, 0x02);
    EXPECT_EQ(line.pulses, 1u) << "enabling it with an empty transmitter is a reason";
    EXPECT_EQ(in(interrupt_cause), 0x02u);
    EXPECT_EQ(in(interrupt_cause), 0x01u) << "reading the cause answers it";
    out(data, 'a');
    EXPECT_EQ(line.pulses, 2u);
    out(data, 'b');
    EXPECT_EQ(line.pulses, 3u) << "the line fell while the byte was sent";
    // Linux tests for a port that forgets this.
    EXPECT_EQ(in(interrupt_cause), 0x02u);
    out(interrupt_enable, 0);
    out(interrupt_enable, 0x02);
    EXPECT_EQ(in(interrupt_cause), 0x02u);
}

TEST_F(Uart, ReceivesInOrderWithFlowControl) {
    out(fifo_control, 1);
    out(interrupt_enable, 0x01);
    backend.type("0123456789abcdefghij");
    EXPECT_EQ(line.pulses, 1u);
    EXPECT_EQ(backend.typed, "ghij") << "what does not fit waits outside";
    EXPECT_EQ(in(interrupt_cause), 0xc4u);
    std::string seen;
    while (in(line_status) & 1) seen += static_cast<char>(in(data));
    EXPECT_EQ(seen, "0123456789abcdefghij");
    EXPECT_EQ(in(interrupt_cause), 0xc1u);
    backend.type("k");
    EXPECT_EQ(line.pulses, 2u);
}

TEST_F(Uart, WithoutTheFifoOneByteIsHeld) {
    backend.type("xyz");
    EXPECT_EQ(backend.typed, "yz");
    EXPECT_EQ(in(data), 'x' + 0u);
    EXPECT_EQ(in(data), 'y' + 0u);
    EXPECT_EQ(in(data), 'z' + 0u);
    EXPECT_EQ(in(data), 0u);
}

TEST_F(Uart, LoopbackReturnsWhatIsSentAndCutsTheLine) {
    out(fifo_control, 1);
    out(modem_control, 0x10);
    backend.type("typed");
    for (unsigned i = 0; i < 17; ++i) out(data, 'A' + i);
    EXPECT_EQ(backend.printed, "");
    EXPECT_EQ(in(line_status) & 0x03, 0x03u) << "the seventeenth byte overran the FIFO";
    EXPECT_EQ(in(line_status) & 0x02, 0u) << "reading it clears the overrun";
    for (unsigned i = 0; i < 16; ++i) EXPECT_EQ(in(data), 'A' + i);
    out(modem_control, 0);
    EXPECT_EQ(in(data), 't' + 0u);
}

TEST_F(Uart, TellsOfChangedModemLinesOnce) {
    out(interrupt_enable, 0x08);
    out(modem_control, 0x10);
    EXPECT_EQ(line.pulses, 1u);
    EXPECT_EQ(in(interrupt_cause), 0x00u);
    EXPECT_EQ(in(modem_status) & 0x0f, 0x0bu) << "CTS, DSR and DCD went away";
    EXPECT_EQ(in(modem_status) & 0x0f, 0u);
    EXPECT_EQ(in(interrupt_cause), 0x01u);
}

TEST_F(Uart, WideAccessesReachNeighbouringRegisters) {
    const std::array bytes{std::byte{0x03}, std::byte{0x0b}};
    port.write(line_control, bytes);
    EXPECT_EQ(in(line_control), 0x03u);
    EXPECT_EQ(in(modem_control), 0x0bu);
}

// For the thread sanitizer: vCPUs print while somebody types.
TEST_F(Uart, IsUsedByThreadsAtOnce) {
    constexpr unsigned count = 2000;
    const auto print = [this] {
        for (unsigned i = 0; i < count; ++i) out(data, 'x');
    };
    out(interrupt_enable, 0x03);
    {
        const std::jthread first{print};
        const std::jthread second{print};
        for (unsigned i = 0; i < count; ++i) port.input_available();
    }
    EXPECT_EQ(backend.printed.size(), 2 * count);
}

}  // namespace
}  // namespace sheaf::legacy
