#include "support/acpi.h"

#include "support/hardware.h"

namespace probe {
namespace {

constexpr uint32_t header_size = 36;
constexpr uint64_t window_end = uint64_t{4} << 30;

// Tables are packed, so every field is read by its offset.
template <typename T>
T field(uint64_t table, uint32_t offset) {
    T value;
    __builtin_memcpy(&value, at<const void>(table + offset), sizeof(T));
    return value;
}

bool sums_to_zero(uint64_t address, uint32_t length) {
    uint8_t sum = 0;
    for (uint32_t i = 0; i < length; ++i)
        sum = static_cast<uint8_t>(sum + *at<uint8_t>(address + i));
    return sum == 0;
}

bool is_table(uint64_t table, const char* signature) {
    if (table == 0 || table >= window_end) return false;
    for (uint32_t i = 0; i < 4; ++i) {
        if (field<char>(table, i) != signature[i]) return false;
    }
    const auto length = field<uint32_t>(table, 4);
    return length >= header_size && length < 1 << 20 && sums_to_zero(table, length);
}

}  // namespace

uint64_t find_acpi_table(uint64_t root, const char* signature) {
    if (root == 0 || root >= window_end || !sums_to_zero(root, 20)) return 0;
    const bool wide = field<uint8_t>(root, 15) >= 2 && field<uint64_t>(root, 24) != 0;
    const uint64_t list = wide ? field<uint64_t>(root, 24) : field<uint32_t>(root, 16);
    if (!is_table(list, wide ? "XSDT" : "RSDT")) return 0;
    const uint32_t end = field<uint32_t>(list, 4);
    const uint32_t step = wide ? 8 : 4;
    for (uint32_t offset = header_size; offset + step <= end; offset += step) {
        const uint64_t table = wide ? field<uint64_t>(list, offset) : field<uint32_t>(list, offset);
        if (is_table(table, signature)) return table;
    }
    return 0;
}

uint32_t processors_in_madt(uint64_t root) {
    const uint64_t madt = find_acpi_table(root, "APIC");
    if (madt == 0) return 0;
    const auto end = field<uint32_t>(madt, 4);
    uint32_t count = 0;
    for (uint32_t offset = 44; offset + 8 <= end;) {
        const auto type = field<uint8_t>(madt, offset);
        const auto length = field<uint8_t>(madt, offset + 1);
        if (length < 2) return 0;
        if (type == 0 && (field<uint32_t>(madt, offset + 4) & 1)) ++count;
        if (type == 9 && (field<uint32_t>(madt, offset + 8) & 1)) ++count;
        offset += length;
    }
    return count;
}

uint64_t ecam_in_mcfg(uint64_t root) {
    const uint64_t mcfg = find_acpi_table(root, "MCFG");
    return mcfg ? field<uint64_t>(mcfg, 44) : 0;
}

}  // namespace probe
