#include "devices/legacy/uart16550.h"

#include <array>

namespace sheaf::legacy {

namespace {

// Register offsets. The first two are the divisor while DLAB is set.
constexpr std::uint64_t reg_data = 0;
constexpr std::uint64_t reg_interrupt_enable = 1;
constexpr std::uint64_t reg_interrupt_cause = 2;  // written: FIFO control
constexpr std::uint64_t reg_line_control = 3;
constexpr std::uint64_t reg_modem_control = 4;
constexpr std::uint64_t reg_line_status = 5;
constexpr std::uint64_t reg_modem_status = 6;
constexpr std::uint64_t reg_scratch = 7;

constexpr std::uint8_t enable_received = 0x01;
constexpr std::uint8_t enable_transmitter_empty = 0x02;
constexpr std::uint8_t enable_line_status = 0x04;
constexpr std::uint8_t enable_modem_status = 0x08;
constexpr std::uint8_t enable_all = 0x0f;

constexpr std::uint8_t cause_none = 0x01;
constexpr std::uint8_t cause_modem_status = 0x00;
constexpr std::uint8_t cause_transmitter_empty = 0x02;
constexpr std::uint8_t cause_received = 0x04;
constexpr std::uint8_t cause_line_status = 0x06;
constexpr std::uint8_t cause_fifo_enabled = 0xc0;

constexpr std::uint8_t fifo_enable = 0x01;
constexpr std::uint8_t fifo_clear_received = 0x02;

constexpr std::uint8_t line_control_dlab = 0x80;

constexpr std::uint8_t modem_control_all = 0x1f;
constexpr std::uint8_t modem_control_dtr = 0x01;
constexpr std::uint8_t modem_control_rts = 0x02;
constexpr std::uint8_t modem_control_out1 = 0x04;
constexpr std::uint8_t modem_control_out2 = 0x08;
constexpr std::uint8_t modem_control_loop = 0x10;

constexpr std::uint8_t line_status_received = 0x01;
constexpr std::uint8_t line_status_overrun = 0x02;
constexpr std::uint8_t line_status_transmitter_empty = 0x60;  // holding and shift register

constexpr std::uint8_t modem_status_cts = 0x10;
constexpr std::uint8_t modem_status_dsr = 0x20;
constexpr std::uint8_t modem_status_ri = 0x40;
constexpr std::uint8_t modem_status_dcd = 0x80;

}  // namespace

Uart16550::Uart16550(vmm::InterruptLine& line, console::Backend& backend)
    : line_(line), backend_(backend) {
    backend_.listen(this);
}

Uart16550::~Uart16550() {
    backend_.listen(nullptr);
}

void Uart16550::read(std::uint64_t offset, std::span<std::byte> data) {
    access([&] {
        for (auto& byte : data) byte = std::byte{read_register(offset++)};
    });
}

void Uart16550::write(std::uint64_t offset, std::span<const std::byte> data) {
    access([&] {
        for (const auto byte : data) write_register(offset++, std::to_integer<std::uint8_t>(byte));
    });
}

void Uart16550::input_available() {
    access([&] { pull_input(); });
}

// The interrupt is a system call, so it is raised with the mutex free.
template <class Work>
void Uart16550::access(Work work) {
    bool rises = false;
    {
        const std::lock_guard lock{mutex_};
        work();
        const bool high = cause() != cause_none;
        rises = high && !line_high_;
        line_high_ = high;
    }
    if (rises) line_.pulse();
}

std::uint8_t Uart16550::read_register(std::uint64_t offset) {
    const bool divisor = (line_control_ & line_control_dlab) != 0;
    switch (offset) {
        case reg_data: return divisor ? divisor_low_ : read_received();
        case reg_interrupt_enable: return divisor ? divisor_high_ : interrupt_enable_;
        case reg_interrupt_cause: return read_interrupt_cause();
        case reg_line_control: return line_control_;
        case reg_modem_control: return modem_control_;
        case reg_line_status: return read_line_status();
        case reg_modem_status: return read_modem_status();
        case reg_scratch: return scratch_;
        default: return 0xff;
    }
}

void Uart16550::write_register(std::uint64_t offset, std::uint8_t value) {
    const bool divisor = (line_control_ & line_control_dlab) != 0;
    switch (offset) {
        case reg_data:
            if (divisor) {
                divisor_low_ = value;
            } else {
                transmit(value);
            }
            break;
        case reg_interrupt_enable:
            if (divisor) {
                divisor_high_ = value;
            } else {
                set_interrupt_enable(value);
            }
            break;
        case reg_interrupt_cause: set_fifo_control(value); break;
        case reg_line_control: line_control_ = value; break;
        case reg_modem_control: set_modem_control(value); break;
        case reg_scratch: scratch_ = value; break;
        default: break;  // the status registers are not written
    }
}

std::uint8_t Uart16550::read_received() {
    const std::uint8_t value = received_.size() > 0 ? received_.pop() : 0;
    if (received_.size() == 0) pull_input();
    return value;
}

// Reading the cause answers a transmitter interrupt; the others last until their source is read.
std::uint8_t Uart16550::read_interrupt_cause() {
    const auto now = cause();
    if (now == cause_transmitter_empty) transmitter_emptied_ = false;
    return static_cast<std::uint8_t>(now | (fifo_enabled_ ? cause_fifo_enabled : 0));
}

std::uint8_t Uart16550::read_line_status() {
    std::uint8_t status = line_status_transmitter_empty;
    if (received_.size() > 0) status |= line_status_received;
    if (overrun_) status |= line_status_overrun;
    overrun_ = false;
    return status;
}

// A connected terminal, or in loopback this port's own control lines.
std::uint8_t Uart16550::modem_lines() const {
    if (!(modem_control_ & modem_control_loop))
        return modem_status_cts | modem_status_dsr | modem_status_dcd;
    std::uint8_t lines = 0;
    if (modem_control_ & modem_control_rts) lines |= modem_status_cts;
    if (modem_control_ & modem_control_dtr) lines |= modem_status_dsr;
    if (modem_control_ & modem_control_out1) lines |= modem_status_ri;
    if (modem_control_ & modem_control_out2) lines |= modem_status_dcd;
    return lines;
}

std::uint8_t Uart16550::read_modem_status() {
    const auto changes = modem_changes_;
    modem_changes_ = 0;
    return static_cast<std::uint8_t>(modem_lines() | changes);
}

// What is sent has left the port when the write returns.
void Uart16550::transmit(std::uint8_t value) {
    if (modem_control_ & modem_control_loop) {
        receive(value);
    } else {
        const auto byte = std::byte{value};
        backend_.write(std::span{&byte, 1});
    }
    transmitter_emptied_ = true;
    // The line falls while the byte is on its way; its rise is the next edge.
    if (cause() == cause_transmitter_empty) line_high_ = false;
}

void Uart16550::receive(std::uint8_t value) {
    if (received_.size() == (fifo_enabled_ ? Fifo::capacity : 1)) {
        overrun_ = true;
        return;
    }
    received_.push(value);
}

void Uart16550::set_interrupt_enable(std::uint8_t value) {
    const auto newly = static_cast<std::uint8_t>(value & ~interrupt_enable_);
    interrupt_enable_ = value & enable_all;
    // Enabling it with an empty transmitter is a cause of its own; drivers test for that.
    if (newly & enable_transmitter_empty) transmitter_emptied_ = true;
}

void Uart16550::set_fifo_control(std::uint8_t value) {
    const bool enabled = (value & fifo_enable) != 0;
    if (enabled != fifo_enabled_ || (value & fifo_clear_received)) received_.clear();
    fifo_enabled_ = enabled;
    pull_input();
}

void Uart16550::set_modem_control(std::uint8_t value) {
    const auto before = modem_lines();
    modem_control_ = value & modem_control_all;
    const auto after = modem_lines();
    auto changed = static_cast<std::uint8_t>((before ^ after) >> 4);
    // The ring indicator tells only of its end.
    if (after & modem_status_ri) changed &= static_cast<std::uint8_t>(~(modem_status_ri >> 4));
    modem_changes_ |= changed;
    pull_input();
}

// The most urgent cause of an interrupt there is now.
std::uint8_t Uart16550::cause() const {
    if ((interrupt_enable_ & enable_line_status) && overrun_) return cause_line_status;
    if ((interrupt_enable_ & enable_received) && received_.size() > 0) return cause_received;
    if ((interrupt_enable_ & enable_transmitter_empty) && transmitter_emptied_)
        return cause_transmitter_empty;
    if ((interrupt_enable_ & enable_modem_status) && modem_changes_ != 0) return cause_modem_status;
    return cause_none;
}

// In loopback the line is cut: what was typed waits in the backend.
void Uart16550::pull_input() {
    if (modem_control_ & modem_control_loop) return;
    std::array<std::byte, Fifo::capacity> bytes;
    const auto capacity = fifo_enabled_ ? Fifo::capacity : 1;
    if (received_.size() >= capacity) return;
    const auto room = std::span{bytes}.first(capacity - received_.size());
    const auto count = backend_.read(room);
    for (const auto byte : room.first(count)) received_.push(std::to_integer<std::uint8_t>(byte));
}

}  // namespace sheaf::legacy
