#include "support/command_line.h"

namespace probe {
namespace {

bool is_end_of_word(char c) {
    return c == '\0' || c == ' ' || c == '\n';
}

// The length of `prefix` when `text` begins with it, else zero.
size_t match(const char* text, const char* prefix) {
    size_t length = 0;
    for (; prefix[length]; ++length) {
        if (text[length] != prefix[length]) return 0;
    }
    return length;
}

int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return 16;
}

}  // namespace

const char* CommandLine::find(const char* key) const {
    const char* word = text_;
    while (*word) {
        const size_t length = match(word, key);
        if (length > 0 && word[length] == '=') return word + length + 1;
        if (length > 0 && is_end_of_word(word[length])) return word + length;
        while (!is_end_of_word(*word)) ++word;
        while (*word == ' ' || *word == '\n') ++word;
    }
    return nullptr;
}

uint64_t CommandLine::number(const char* key, uint64_t fallback) const {
    const char* value = find(key);
    if (!value || is_end_of_word(*value)) return fallback;
    int base = 10;
    if (value[0] == '0' && value[1] == 'x') {
        base = 16;
        value += 2;
    }
    uint64_t result = 0;
    for (; digit(*value) < base; ++value) {
        result = result * static_cast<uint64_t>(base) + static_cast<uint64_t>(digit(*value));
    }
    return result;
}

bool CommandLine::flag(const char* key, bool fallback) const {
    const char* value = find(key);
    return value ? *value != '0' : fallback;
}

bool CommandLine::lists(const char* key, const char* item, bool fallback) const {
    const char* value = find(key);
    if (!value) return fallback;
    while (!is_end_of_word(*value)) {
        const size_t length = match(value, item);
        if (length > 0 && (value[length] == ',' || is_end_of_word(value[length]))) return true;
        while (!is_end_of_word(*value) && *value != ',') ++value;
        if (*value == ',') ++value;
    }
    return false;
}

bool CommandLine::address(const char* key, uint8_t (&result)[4]) const {
    const char* value = find(key);
    if (!value) return false;
    uint8_t bytes[4];
    for (int i = 0; i < 4; ++i) {
        int number = 0;
        if (digit(*value) >= 10) return false;
        while (digit(*value) < 10 && number < 256) number = number * 10 + digit(*value++);
        if (number > 255 || (i < 3 && *value++ != '.')) return false;
        bytes[i] = static_cast<uint8_t>(number);
    }
    if (!is_end_of_word(*value)) return false;
    for (int i = 0; i < 4; ++i) result[i] = bytes[i];
    return true;
}

}  // namespace probe
