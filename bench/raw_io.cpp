// The same loads as the probe `blk`, by io_uring on the file itself: raw_io FILE [key=value ...].
// It understands the words of the probe that the benchmark uses and prints the same lines.

#include <fcntl.h>
#include <liburing.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <random>

#include "loads.h"

namespace bench {
namespace {

// One load on the ring until its time is over. False when a request fails.
class Run {
  public:
    Run(io_uring& ring, int file, const Buffers& buffers, const Load& load, const Options& options)
        : ring_(ring),
          file_(file),
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
                if (load_.direction == Direction::durable_write && fdatasync(file_) < 0)
                    return false;
                ++done;
                if (more) prepare(static_cast<unsigned>(entries[i]->user_data));
            }
            io_uring_cq_advance(&ring_, ready);
            if (!more) on_the_way -= ready;
        }
        print(load_.name, done, Clock::now() - begin);
        return true;
    }

  private:
    void prepare(unsigned slot) {
        io_uring_sqe* entry = io_uring_get_sqe(&ring_);
        const uint64_t place =
            load_.order == Order::random ? random_() % places_ : sequence_++ % places_;
        std::byte* buffer = buffers_.of(slot);
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
    int file_;
    const Buffers& buffers_;
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

int run(int count, char** words) {
    if (count < 2) return fail("usage: raw_io FILE [key=value ...]", EINVAL);
    const Options options = parse(count, words);
    int file = open(words[1], O_RDWR | O_DIRECT | O_CLOEXEC);
    if (file < 0) return fail(words[1], errno);
    const Buffers buffers;
    io_uring ring;
    if (const int error = io_uring_queue_init(64, &ring, 0)) return fail("io_uring", error);
    const iovec whole{buffers.of(0), Buffers::size};
    if (const int error = io_uring_register_buffers(&ring, &whole, 1))
        return fail("buffers", error);
    if (const int error = io_uring_register_files(&ring, &file, 1)) return fail("files", error);
    for (const Load& load : loads) {
        if (!options.wants(load.name)) continue;
        if (!Run(ring, file, buffers, load, options).measure()) return fail("a request", EIO);
    }
    io_uring_queue_exit(&ring);
    close(file);
    printf("blk done\n");
    return 0;
}

}  // namespace
}  // namespace bench

int main(int count, char** words) {
    return bench::run(count, words);
}
