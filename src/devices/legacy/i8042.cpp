#include "devices/legacy/i8042.h"

#include "base/bytes.h"

namespace sheaf::legacy {

namespace {

constexpr std::uint64_t port_data = 0;
constexpr std::uint64_t port_b = 1;
constexpr std::uint64_t port_command = 4;

constexpr std::uint8_t status_output_full = 0x01;
constexpr std::uint8_t status_self_test_passed = 0x04;
constexpr std::uint8_t status_timeout = 0x40;

// Port B with its refresh bit high and no memory or bus error reported.
constexpr std::uint8_t port_b_idle = 0x20;

constexpr std::uint8_t command_read_configuration = 0x20;
constexpr std::uint8_t command_write_configuration = 0x60;
constexpr std::uint8_t command_test_mouse_port = 0xa9;
constexpr std::uint8_t command_self_test = 0xaa;
constexpr std::uint8_t command_test_keyboard_port = 0xab;
constexpr std::uint8_t command_read_output_port = 0xd0;
constexpr std::uint8_t command_write_output_port = 0xd1;
constexpr std::uint8_t command_write_mouse = 0xd4;
constexpr std::uint8_t command_reset = 0xfe;

constexpr std::uint8_t self_test_passed = 0x55;
constexpr std::uint8_t port_clock_stuck = 0x01;  // what a test of a port without a device finds
constexpr std::uint8_t output_port_idle = 0x03;  // not in reset, A20 open
constexpr std::uint8_t output_port_no_reset = 0x01;
constexpr std::uint8_t resend = 0xfe;  // what the controller says for a silent device

constexpr std::uint16_t answer(std::uint8_t value, std::uint8_t status = 0) {
    return static_cast<std::uint16_t>((status | status_output_full) << 8 | value);
}

}  // namespace

void I8042::read(std::uint64_t offset, std::span<std::byte> data) {
    switch (offset) {
        case port_data: return store_register(data, output_.exchange(empty) & 0xff);
        case port_b: return store_register(data, port_b_idle);
        case port_command: return store_register(data, status_self_test_passed | output_ >> 8);
        default: return store_register(data, ~std::uint64_t{0});
    }
}

void I8042::write(std::uint64_t offset, std::span<const std::byte> data) {
    const auto value = std::to_integer<std::uint8_t>(data.front());
    if (offset == port_data) write_data(value);
    if (offset == port_command) command(value);
}

void I8042::command(std::uint8_t value) {
    expecting_ = 0;
    switch (value) {
        case command_read_configuration: output_ = answer(configuration_); break;
        case command_self_test: output_ = answer(self_test_passed); break;
        case command_test_keyboard_port:
        case command_test_mouse_port: output_ = answer(port_clock_stuck); break;
        case command_read_output_port: output_ = answer(output_port_idle); break;
        case command_write_configuration:
        case command_write_output_port:
        case command_write_mouse: expecting_ = value; break;
        case command_reset: reset(); break;
        default: break;
    }
}

void I8042::write_data(std::uint8_t value) {
    switch (expecting_.exchange(0)) {
        case command_write_configuration: configuration_ = value; break;
        case command_write_output_port:
            if (!(value & output_port_no_reset)) reset();
            break;
        default: output_ = answer(resend, status_timeout); break;
    }
}

void I8042::reset() {
    sink_.ended({vmm::Ending::How::reset, {}});
}

}  // namespace sheaf::legacy
