// Frames of coroutines: what is taken is one's own, whoever gives it back.

#include "io/frame_memory.h"

#include <cstdint>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sheaf::io {
namespace {

struct Taken {
    void* frame;
    std::size_t size;
    unsigned char mark;
};

void expect_own(const Taken& taken) {
    const std::vector<unsigned char> mark(taken.size, taken.mark);
    EXPECT_EQ(std::memcmp(taken.frame, mark.data(), taken.size), 0);
}

Taken take(std::size_t size, unsigned char mark) {
    auto* frame = take_frame(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frame) % __STDCPP_DEFAULT_NEW_ALIGNMENT__, 0u);
    std::memset(frame, mark, size);
    return {frame, size, mark};
}

TEST(FrameMemory, NoTwoFramesShareAByte) {
    std::mt19937 chosen{1};
    std::vector<Taken> all;
    for (unsigned turn = 0; turn < 20'000; ++turn) {
        if (all.size() < 200 && chosen() % 2) {
            all.push_back(take(1 + chosen() % 6000, static_cast<unsigned char>(turn)));
        } else if (!all.empty()) {
            std::swap(all[chosen() % all.size()], all.back());
            expect_own(all.back());
            give_frame(all.back().frame, all.back().size);
            all.pop_back();
        }
    }
    for (const auto& taken : all) {
        expect_own(taken);
        give_frame(taken.frame, taken.size);
    }
}

TEST(FrameMemory, AnotherThreadMayGiveItBackAndEnd) {
    for (unsigned turn = 0; turn < 10; ++turn) {
        std::vector<Taken> all;
        for (std::size_t size = 1; size < 5000; size += 61)
            all.push_back(take(size, static_cast<unsigned char>(size)));
        std::jthread{[&] {
            for (const auto& taken : all) give_frame(taken.frame, taken.size);
            const auto mine = take(100, 7);
            expect_own(mine);
            give_frame(mine.frame, mine.size);
        }}.join();
    }
}

TEST(FrameMemory, LittleIsKept) {
    // More than a thread keeps goes back; the sanitizers would tell of what was lost on the way.
    std::vector<Taken> all;
    for (unsigned index = 0; index < 10'000; ++index) all.push_back(take(512, 1));
    for (const auto& taken : all) give_frame(taken.frame, taken.size);
}

}  // namespace
}  // namespace sheaf::io
