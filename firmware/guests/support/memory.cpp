#include "support/memory.h"

#include "support/hardware.h"

// The compiler calls these three by name whatever the flags.
extern "C" void* memset(void* to, int value, size_t size) {
    void* const result = to;
    asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return result;
}

extern "C" void* memcpy(void* to, const void* from, size_t size) {
    void* const result = to;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size)::"memory");
    return result;
}

extern "C" int memcmp(const void* left, const void* right, size_t size) {
    const auto* a = static_cast<const unsigned char*>(left);
    const auto* b = static_cast<const unsigned char*>(right);
    for (; size > 0; --size, ++a, ++b) {
        if (*a != *b) return *a - *b;
    }
    return 0;
}

namespace probe {

uint64_t Arena::take(uint64_t size, uint64_t alignment) {
    const uint64_t begin = (next_ + alignment - 1) & ~(alignment - 1);
    if (begin > end_ || end_ - begin < size) return 0;
    next_ = begin + size;
    fill_bytes(begin, 0, size);
    return begin;
}

void copy_bytes(uint64_t to, uint64_t from, uint64_t size) {
    memcpy(at<void>(to), at<const void>(from), size);
}

void fill_bytes(uint64_t to, uint8_t value, uint64_t size) {
    memset(at<void>(to), value, size);
}

}  // namespace probe
