// Text on the first serial port. `print("metric {} iops={}\n", name, iops)`: {} takes an unsigned
// number or a string, {x} the number in hexadecimal.
#pragma once

#include <cstddef>
#include <cstdint>

namespace probe {

struct Argument {
    Argument(const char* text) : text(text) {}
    template <typename T>
        requires(__is_integral(T) || __is_enum(T))
    Argument(T value) : number(static_cast<uint64_t>(value)) {}

    const char* text = nullptr;
    uint64_t number = 0;
};

void print_arguments(const char* format, const Argument* arguments, size_t count);

template <typename... Arguments>
void print(const char* format, const Arguments&... arguments) {
    const Argument list[] = {Argument(arguments)..., Argument(0)};
    print_arguments(format, list, sizeof...(arguments));
}

}  // namespace probe
