#pragma once

// Why: a disk in memory that remembers what it was asked, and fails when a test wants it to.

#include <string>
#include <vector>

#include "storage/block.h"
#include "storage/vectors.h"

namespace sheaf::storage {

class RamBlock final : public Block {
  public:
    explicit RamBlock(std::size_t size) : bytes(size) {
        shape.size = size;
        shape.discard_granularity = 4096;
    }

    Geometry geometry() const override { return shape; }
    io::Task<void> read(std::uint64_t offset, std::span<const iovec> vectors) override {
        const auto range = co_await begin("read", offset, length_of(vectors));
        VectorCursor{vectors}.copy_in(range);
    }
    io::Task<void> write(std::uint64_t offset, std::span<const iovec> vectors) override {
        const auto range = co_await begin("write", offset, length_of(vectors));
        VectorCursor{vectors}.copy_out(range);
    }
    io::Task<void> flush() override { co_await begin("flush", 0, 0); }
    io::Task<void> discard(std::uint64_t offset, std::uint64_t length) override {
        co_await begin("discard", offset, length);
    }
    io::Task<void> zero(std::uint64_t offset, std::uint64_t length, Space space) override {
        const auto name = space == Space::keep ? "zero" : "zero+release";
        const auto range = co_await begin(name, offset, length);
        std::ranges::fill(range, std::byte{0});
    }

    std::vector<std::byte> bytes;
    Geometry shape;
    std::vector<std::string> asked;  // "write 512+1024"
    bool failing = false;

  private:
    Result<std::span<std::byte>> begin(const char* name, std::uint64_t offset,
                                       std::uint64_t length) {
        asked.push_back(fmt::format("{} {}+{}", name, offset, length));
        if (failing) return fail(Kind::io, "told to fail");
        if ((offset | length) % 512 != 0 || offset > bytes.size() || length > bytes.size() - offset)
            return fail(Kind::invalid, "not on the disk");
        return std::span{bytes}.subspan(offset, length);
    }
};

}  // namespace sheaf::storage
