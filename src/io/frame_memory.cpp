#include "io/frame_memory.h"

#include <array>
#include <memory>
#include <new>
#include <utility>

namespace sheaf::io {

namespace {

constexpr std::size_t step = 64;  // bytes between one size and the next
constexpr std::size_t sizes = 64;
constexpr std::size_t most_kept = 256 * 1024;  // bytes, of a thread

// The sanitizers want to see each frame's own life.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
constexpr bool keeps = false;
#else
constexpr bool keeps = true;
#endif

struct Frame {
    Frame* next;
};

// Zero is its beginning, so that no thread has to be asked whether it has begun.
struct Kept {
    std::array<Frame*, sizes> first;
    std::size_t bytes;
    bool over;  // the thread is ending, and nothing is kept any more
};
constinit thread_local Kept kept{};

struct AtThreadEnd {
    ~AtThreadEnd() {
        kept.over = true;
        for (auto* frame : kept.first)
            while (frame) ::operator delete(std::exchange(frame, frame->next));
        kept.first = {};
    }
};

std::size_t place_of(std::size_t size) {
    return (size - 1) / step;
}

std::size_t rounded(std::size_t place) {
    return (place + 1) * step;
}

}  // namespace

void* take_frame(std::size_t size) {
    const auto place = place_of(size);
    if (!keeps || place >= sizes) return ::operator new(size);
    auto*& first = kept.first[place];
    if (!first) return ::operator new(rounded(place));
    kept.bytes -= rounded(place);
    return std::exchange(first, first->next);
}

void give_frame(void* frame, std::size_t size) noexcept {
    const auto place = place_of(size);
    if (!keeps || place >= sizes || kept.over || kept.bytes + rounded(place) > most_kept)
        return ::operator delete(frame);
    static thread_local const AtThreadEnd at_thread_end;
    kept.first[place] = std::construct_at(static_cast<Frame*>(frame), kept.first[place]);
    kept.bytes += rounded(place);
}

}  // namespace sheaf::io
