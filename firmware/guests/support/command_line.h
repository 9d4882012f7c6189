// The command line of the guest: words `key=value` (or `key` alone) by which tests set a probe up.
#pragma once

#include <cstddef>
#include <cstdint>

namespace probe {

class CommandLine {
  public:
    explicit CommandLine(const char* text = "") : text_(text) {}

    // Decimal or 0x-hexadecimal; `fallback` when the key is missing or has no number.
    uint64_t number(const char* key, uint64_t fallback) const;
    // True when `key` is a word or `key=` begins one, and its value is not "0".
    bool flag(const char* key, bool fallback) const;
    // True when the comma-separated list of `key` holds `item`; `fallback` when the key is missing.
    bool lists(const char* key, const char* item, bool fallback) const;
    // Four numbers with dots between them; false, and nothing written, when it is anything else.
    bool address(const char* key, uint8_t (&result)[4]) const;

  private:
    // The value of `key`: its first character, or null when the key is missing.
    const char* find(const char* key) const;

    const char* text_;
};

}  // namespace probe
