// The few machine instructions that probes need and C++ does not have: ports, MMIO, barriers, TSC.
#pragma once

#include <cstddef>
#include <cstdint>

namespace probe {

inline void out8(uint16_t port, uint8_t value) {
    asm volatile("outb %0, %1" ::"a"(value), "Nd"(port) : "memory");
}
inline void out16(uint16_t port, uint16_t value) {
    asm volatile("outw %0, %1" ::"a"(value), "Nd"(port) : "memory");
}
inline void out32(uint16_t port, uint32_t value) {
    asm volatile("outl %0, %1" ::"a"(value), "Nd"(port) : "memory");
}
inline uint8_t in8(uint16_t port) {
    uint8_t value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}
inline uint16_t in16(uint16_t port) {
    uint16_t value;
    asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}
inline uint32_t in32(uint16_t port) {
    uint32_t value;
    asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

// A physical address is a pointer here: the page tables are the identity. Every such cast is made
// by this function.
template <typename T>
T* at(uint64_t address) {
    return reinterpret_cast<T*>(address);
}
template <typename T>
uint64_t address_of(const T* object) {
    return reinterpret_cast<uint64_t>(object);
}

// Volatile accesses of exactly the width of T, as devices need them.
template <typename T>
T mmio_read(uint64_t address) {
    return *at<volatile T>(address);
}
template <typename T>
void mmio_write(uint64_t address, T value) {
    *at<volatile T>(address) = value;
}

inline void compiler_barrier() {
    asm volatile("" ::: "memory");
}
inline void full_barrier() {
    asm volatile("mfence" ::: "memory");
}
inline void relax() {
    asm volatile("pause");
}

inline uint64_t read_tsc() {
    uint32_t low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return uint64_t{high} << 32 | low;
}

struct CpuidLeaf {
    uint32_t eax, ebx, ecx, edx;
};
inline CpuidLeaf cpuid(uint32_t leaf, uint32_t subleaf = 0) {
    CpuidLeaf out;
    asm volatile("cpuid"
                 : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
                 : "a"(leaf), "c"(subleaf));
    return out;
}

}  // namespace probe
