// The same loads as the probe `blk`, by io_uring on the file itself: raw_io FILE [key=value ...].
// It understands the words of the probe that the benchmark uses and prints the same lines.

#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned most_depth = 32;
constexpr size_t most_bytes = 128 * 1024;

enum class Direction { read, write };
enum class Order { random, sequential };

struct Load {
    std::string_view name;
    Direction direction;
    unsigned bytes;
    unsigned depth;
    Order order;
};

constexpr Load loads[] = {
    {"randread_qd1", Direction::read, 4096, 1, Order::random},
    {"randread_qd32", Direction::read, 4096, 32, Order::random},
    {"randwrite_qd1", Direction::write, 4096, 1, Order::random},
    {"randwrite_qd32", Direction::write, 4096, 32, Order::random},
    {"read_128k", Direction::read, most_bytes, 32, Order::sequential},
    {"write_128k", Direction::write, most_bytes, 32, Order::sequential},
};

struct Options {
    std::string_view tests;
    uint64_t milliseconds = 500;
    uint64_t region = 256 << 20;
};

Options parse(int count, char** words) {
    Options options;
    for (int i = 2; i < count; ++i) {
        const std::string_view word = words[i];
        const std::string_view value = word.substr(word.find('=') + 1);
        if (word.starts_with("test=")) options.tests = value;
        if (word.starts_with("ms=")) options.milliseconds = strtoull(value.data(), nullptr, 10);
        if (word.starts_with("region_mib="))
            options.region = strtoull(value.data(), nullptr, 10) << 20;
    }
    return options;
}

bool lists(std::string_view list, std::string_view item) {
    if (list.empty()) return true;
    return ("," + std::string(list) + ",").find("," + std::string(item) + ",") != std::string::npos;
}

// One load on the ring until its time is over. False when a request fails.
class Run {
  public:
    Run(io_uring& ring, std::byte* buffers, const Load& load, const Options& options)
        : ring_(ring),
          buffers_(buffers),
          load_(load),
          places_(options.region / load.bytes),
          length_(std::chrono::milliseconds(options.milliseconds)) {}

    bool measure() {
        const auto begin = Clock::now();
        const auto end = begin + length_;
        for (unsigned i = 0; i < load_.depth; ++i) prepare(i);
        uint64_t done = 0;
        unsigned on_the_way = load_.depth;
        while (on_the_way > 0) {
            if (io_uring_submit_and_wait(&ring_, 1) < 0) return false;
            const bool more = Clock::now() < end;
            io_uring_cqe* entries[most_depth];
            const unsigned ready = io_uring_peek_batch_cqe(&ring_, entries, most_depth);
            for (unsigned i = 0; i < ready; ++i) {
                if (entries[i]->res != static_cast<int>(load_.bytes)) return false;
                ++done;
                if (more) prepare(static_cast<unsigned>(entries[i]->user_data));
            }
            io_uring_cq_advance(&ring_, ready);
            if (!more) on_the_way -= ready;
        }
        const auto ns = std::chrono::nanoseconds(Clock::now() - begin).count();
        printf("metric %.*s iops=%lu ops=%lu ns=%ld\n", static_cast<int>(load_.name.size()),
               load_.name.data(), done * 1'000'000 / static_cast<uint64_t>(ns / 1000), done, ns);
        return true;
    }

  private:
    void prepare(unsigned slot) {
        io_uring_sqe* entry = io_uring_get_sqe(&ring_);
        const uint64_t place =
            load_.order == Order::random ? random_() % places_ : sequence_++ % places_;
        std::byte* buffer = buffers_ + slot * most_bytes;
        const auto prepare_one = load_.direction == Direction::read ? prepare_read : prepare_write;
        prepare_one(entry, buffer, load_.bytes, place * load_.bytes);
        entry->flags |= IOSQE_FIXED_FILE;
        entry->user_data = slot;
    }

    static void prepare_read(io_uring_sqe* entry, void* buffer, unsigned bytes, uint64_t offset) {
        io_uring_prep_read_fixed(entry, 0, buffer, bytes, offset, 0);
    }
    static void prepare_write(io_uring_sqe* entry, void* buffer, unsigned bytes, uint64_t offset) {
        io_uring_prep_write_fixed(entry, 0, buffer, bytes, offset, 0);
    }

    io_uring& ring_;
    std::byte* buffers_;
    const Load& load_;
    uint64_t places_;
    Clock::duration length_;
    std::mt19937_64 random_{1};
    uint64_t sequence_ = 0;
};

int fail(const char* what, int error) {
    fprintf(stderr, "raw_io: %s: %s\n", what, strerror(error < 0 ? -error : error));
    return 1;
}

}  // namespace

int main(int count, char** words) {
    if (count < 2) return fail("usage: raw_io FILE [key=value ...]", EINVAL);
    const Options options = parse(count, words);
    int file = open(words[1], O_RDWR | O_DIRECT | O_CLOEXEC);
    if (file < 0) return fail(words[1], errno);
    const std::unique_ptr<std::byte, void (*)(void*)> buffers(
        static_cast<std::byte*>(aligned_alloc(4096, most_depth * most_bytes)), free);
    memset(buffers.get(), 0x5a, most_depth * most_bytes);
    io_uring ring;
    if (const int error = io_uring_queue_init(64, &ring, 0)) return fail("io_uring", error);
    const iovec whole{buffers.get(), most_depth * most_bytes};
    if (const int error = io_uring_register_buffers(&ring, &whole, 1))
        return fail("buffers", error);
    if (const int error = io_uring_register_files(&ring, &file, 1)) return fail("files", error);
    for (const Load& load : loads) {
        if (!lists(options.tests, load.name)) continue;
        if (!Run(ring, buffers.get(), load, options).measure()) return fail("a request", EIO);
    }
    io_uring_queue_exit(&ring);
    close(file);
    printf("blk done\n");
    return 0;
}
