#pragma once

// Why: the pages of a layer's map, as docs/formats/volume.md has them.

#include "storage/volume/format.h"

namespace sheaf::volume {

enum class BlockState : std::uint8_t { absent = 0, zero = 1, data = 2 };

inline constexpr std::uint32_t no_slot = ~std::uint32_t{0};

// What a layer knows of one chunk.
struct SlotEntry {
    std::uint32_t slot;
    std::uint32_t file;
    std::uint64_t states;
    std::uint64_t stamp;
    std::array<std::uint32_t, blocks_per_chunk> checksums;
    std::array<std::uint8_t, 88> reserved;

    BlockState state(unsigned block) const {
        return static_cast<BlockState>(states >> (2 * block) & 3);
    }
    void set_state(unsigned block, BlockState state) {
        states &= ~(std::uint64_t{3} << (2 * block));
        states |= static_cast<std::uint64_t>(state) << (2 * block);
    }
    // The blocks that this layer has, a bit each.
    std::uint32_t present() const {
        auto bits = (states | states >> 1) & 0x5555555555555555;
        bits = (bits | bits >> 1) & 0x3333333333333333;
        bits = (bits | bits >> 2) & 0x0f0f0f0f0f0f0f0f;
        bits = (bits | bits >> 4) & 0x00ff00ff00ff00ff;
        bits = (bits | bits >> 8) & 0x0000ffff0000ffff;
        return static_cast<std::uint32_t>(bits | bits >> 16);
    }
    // Whether some block is data, which needs the slot.
    bool has_data() const { return (states & 0xaaaaaaaaaaaaaaaa) != 0; }
};
static_assert(sizeof(SlotEntry) == 240);

struct alignas(page_size) SlotsPage {
    PageHeader header;
    std::array<std::uint8_t, 192> reserved;
    std::array<SlotEntry, chunks_per_page> entries;
};
static_assert(sizeof(SlotsPage) == page_size);

// A root, branch or directory page.
struct alignas(page_size) PointerPage {
    PageHeader header;
    std::array<Pointer, fan_out> pointers;
    Id parent;  // of a root
    std::array<std::uint8_t, 1968> reserved;
};
static_assert(sizeof(PointerPage) == page_size);

}  // namespace sheaf::volume
