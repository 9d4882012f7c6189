#include "support/console.h"

#include "support/hardware.h"

namespace probe {
namespace {

constexpr uint16_t uart_data = 0x3f8;
constexpr uint16_t uart_line_status = 0x3fd;
constexpr uint8_t transmitter_empty = 0x20;
constexpr size_t bytes_per_status = 16;

// One text on its way to the UART. An access to the UART costs an exit, so its status is looked at
// once for as many bytes as a 16550 holds. The wait is bounded: a probe must end even with a
// console that is stuck.
class Output {
  public:
    void put(char c) {
        if (used_++ % bytes_per_status == 0) {
            for (int i = 0; i < 100'000 && !(in8(uart_line_status) & transmitter_empty); ++i)
                relax();
        }
        out8(uart_data, static_cast<uint8_t>(c));
    }

    void put_number(uint64_t value, uint64_t base) {
        char digits[24];
        size_t count = 0;
        do {
            digits[count++] = "0123456789abcdef"[value % base];
            value /= base;
        } while (value != 0);
        while (count > 0) put(digits[--count]);
    }

    void put_argument(const Argument& argument, uint64_t base) {
        if (!argument.text) return put_number(argument.number, base);
        for (const char* c = argument.text; *c; ++c) put(*c);
    }

  private:
    size_t used_ = 0;
};

}  // namespace

void print_arguments(const char* format, const Argument* arguments, size_t count) {
    Output output;
    size_t next = 0;
    for (const char* c = format; *c; ++c) {
        if (*c != '{') {
            output.put(*c);
            continue;
        }
        const bool hexadecimal = *++c == 'x';
        if (hexadecimal) ++c;
        if (next < count) output.put_argument(arguments[next++], hexadecimal ? 16 : 10);
    }
}

}  // namespace probe
