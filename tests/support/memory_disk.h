#pragma once

// Why: a disk whose every request can be slowed, held or failed, and that knows what it was asked.

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "io/loop.h"
#include "io/waiters.h"
#include "storage/block.h"
#include "storage/extents.h"
#include "storage/vectors.h"

namespace sheaf::test {

// Blocks of 4096 bytes are data, zeros or holes, as they were last written, zeroed or discarded.
class MemoryDisk final : public storage::Block, public storage::Extents {
  public:
    static constexpr std::uint64_t unit = 4096;

    MemoryDisk(io::Loop& loop, std::uint64_t size)
        : content(size), kinds(size / unit, storage::Extent::Kind::hole), loop_(loop) {
        shape.size = size;
        shape.discard_granularity = unit;
    }

    storage::Geometry geometry() const override { return shape; }
    io::Task<void> read(std::uint64_t offset, std::span<const iovec> vectors) override {
        co_await begin("read", offset);
        storage::VectorCursor cursor{vectors};
        cursor.copy_in(std::span{content}.subspan(offset, storage::length_of(vectors)));
    }
    io::Task<void> write(std::uint64_t offset, std::span<const iovec> vectors) override {
        co_await begin("write", offset);
        storage::VectorCursor cursor{vectors};
        const auto length = storage::length_of(vectors);
        cursor.copy_out(std::span{content}.subspan(offset, length));
        mark(offset, length, storage::Extent::Kind::data);
        ++unflushed;
    }
    io::Task<void> flush() override {
        const auto reached = unflushed;
        co_await begin("flush", 0);
        unflushed -= reached;
    }
    io::Task<void> discard(std::uint64_t offset, std::uint64_t length) override {
        co_await begin("discard", offset);
        clear(offset, length, storage::Extent::Kind::hole);
    }
    io::Task<void> zero(std::uint64_t offset, std::uint64_t length, storage::Space space) override {
        const auto keeps = space == storage::Space::keep;
        co_await begin(keeps ? "zero, keep" : "zero", offset);
        clear(offset, length, keeps ? storage::Extent::Kind::zero : storage::Extent::Kind::hole);
    }
    io::Task<std::vector<storage::Extent>> extents(std::uint64_t offset, std::uint64_t length,
                                                   std::size_t most) override {
        co_await begin("extents", offset);
        std::vector<storage::Extent> found;
        for (auto at = offset; at < offset + length;) {
            const auto step = std::min(offset + length, align_down(at, unit) + unit) - at;
            const auto kind = kinds[at / unit];
            if (found.empty() || found.back().kind != kind) {
                if (found.size() == most) break;
                found.push_back({0, kind});
            }
            found.back().length += step;
            at += step;
        }
        co_return found;
    }

    // Requests at this offset wait until it is let go.
    void hold(std::uint64_t offset) { held_[offset]; }
    void let_go(std::uint64_t offset) {
        held_.at(offset).open = true;
        held_.at(offset).waiters.wake();
    }

    storage::Geometry shape;
    std::vector<std::byte> content;
    std::vector<storage::Extent::Kind> kinds;
    std::vector<std::string> asked;  // in the order the requests began
    std::optional<Error> failure;    // of every request from now on
    io::Duration delay{};
    std::uint64_t unflushed = 0;  // writes
    std::size_t running = 0;
    std::size_t most_running = 0;

  private:
    struct Gate {
        io::Waiters waiters;
        bool open = false;
    };

    io::Task<void> begin(std::string what, std::uint64_t offset) {
        asked.push_back(std::move(what));
        most_running = std::max(most_running, ++running);
        const auto outcome = co_await wait(offset).result();
        --running;
        co_await outcome;
        if (failure) co_await Failure{*failure};
    }
    io::Task<void> wait(std::uint64_t offset) {
        const auto held = held_.find(offset);
        while (held != held_.end() && !held->second.open) co_await held->second.waiters.wait();
        if (delay > io::Duration::zero()) co_await loop_.sleep(delay);
    }
    void clear(std::uint64_t offset, std::uint64_t length, storage::Extent::Kind kind) {
        std::ranges::fill(std::span{content}.subspan(offset, length), std::byte{0});
        if (offset % unit == 0 && length % unit == 0) mark(offset, length, kind);
    }
    void mark(std::uint64_t offset, std::uint64_t length, storage::Extent::Kind kind) {
        for (auto at = offset / unit; at * unit < offset + length; ++at) kinds[at] = kind;
    }

    io::Loop& loop_;
    std::map<std::uint64_t, Gate> held_;
};

}  // namespace sheaf::test
