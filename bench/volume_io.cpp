// The loads of loads.h on a volume of a pool, by its engine on the host's loop, without any guest:
// volume_io POOL VOLUME [key=value ...]. The hot set is its first region_mib: test=fill writes all
// of that, every run reads of it and marks the regions that it will write before it measures, so
// that maps and marks are known, and test=first_touch_qd32 writes where nothing was ever written.

#include <algorithm>
#include <random>

#include "io/make_loop.h"
#include "io/task_group.h"
#include "loads.h"
#include "storage/pool/engine.h"
#include "storage/pool/held_layers.h"

namespace bench {
namespace {

using sheaf::volume::Volume;
namespace io = sheaf::io;
namespace pool = sheaf::pool;

constexpr std::size_t chunk_size = 128 << 10;

class Run {
  public:
    Run(Volume& volume, const Options& options) : volume_(volume), options_(options) {}

    io::Task<void> measure();

  private:
    io::Task<void> fill();
    io::Task<void> take_snapshots();
    io::Task<void> mark_regions();
    io::Task<void> learn_maps();
    io::Task<void> learn_map(unsigned slot);
    io::Task<void> touch();
    io::Task<void> measure(Load load);
    io::Task<void> request(Load load, unsigned slot, Clock::time_point end);
    io::Task<void> first_writes(unsigned slot, std::uint64_t chunks);
    io::Task<void> write(std::uint64_t offset, unsigned slot, std::size_t bytes);

    Volume& volume_;
    Options options_;
    Buffers buffers_;
    std::mt19937_64 random_{1};
    std::uint64_t sequence_ = 0;
    std::uint64_t done_ = 0;
};

io::Task<void> Run::measure() {
    if (options_.names("fill")) co_await fill();
    if (options_.snapshots > 0) co_await take_snapshots();
    if (options_.names("first_touch_qd32")) co_await touch();
    for (const auto& load : loads) {
        if (!options_.wants(load.name)) continue;
        co_await learn_maps();
        if (load.direction != Direction::read) co_await mark_regions();
        co_await measure(load);
    }
}

io::Task<void> Run::write(std::uint64_t offset, unsigned slot, std::size_t bytes) {
    const iovec piece{buffers_.of(slot), bytes};
    co_await volume_.write(offset, std::span{&piece, 1});
}

io::Task<void> Run::fill() {
    for (std::uint64_t offset = 0; offset < options_.region; offset += most_bytes)
        co_await write(offset, 0, most_bytes);
    co_await volume_.flush();
}

// Each has some blocks that the ones after it do not write again.
io::Task<void> Run::take_snapshots() {
    for (std::uint64_t i = 0; i < options_.snapshots; ++i) {
        for (int block = 0; block < 64; ++block)
            co_await write(random_() % (options_.region / 4096) * 4096, 0, 4096);
        co_await volume_.snapshot("s" + std::to_string(i));
    }
}

io::Task<void> Run::mark_regions() {
    for (std::uint64_t offset = 0; offset < options_.region; offset += sheaf::volume::region_size)
        co_await write(offset, 0, 4096);
}

io::Task<void> Run::learn_maps() {
    sequence_ = 0;
    io::TaskGroup readers;
    for (unsigned slot = 0; slot < most_depth; ++slot) readers.start(learn_map(slot));
    co_await readers.join();
}

io::Task<void> Run::learn_map(unsigned slot) {
    const iovec piece{buffers_.of(slot), 4096};
    while (sequence_ < options_.region / chunk_size)
        co_await volume_.read(sequence_++ * chunk_size, std::span{&piece, 1});
}

io::Task<void> Run::touch() {
    const auto chunks = options_.region / chunk_size;
    const auto begin = Clock::now();
    io::TaskGroup writers;
    for (unsigned slot = 0; slot < most_depth; ++slot) writers.start(first_writes(slot, chunks));
    co_await writers.join();
    print("first_touch_qd32", chunks, Clock::now() - begin);
}

io::Task<void> Run::first_writes(unsigned slot, std::uint64_t chunks) {
    // An odd factor visits each of a power of two once, and no neighbour of the one before.
    while (sequence_ < chunks)
        co_await write(sequence_++ * 2654435761u % chunks * chunk_size, slot, 4096);
}

io::Task<void> Run::measure(Load load) {
    done_ = 0;
    const auto begin = Clock::now();
    const auto end = begin + std::chrono::milliseconds{options_.milliseconds};
    io::TaskGroup requests;
    for (unsigned slot = 0; slot < load.depth; ++slot) requests.start(request(load, slot, end));
    co_await requests.join();
    print(load.name, done_, Clock::now() - begin);
}

io::Task<void> Run::request(Load load, unsigned slot, Clock::time_point end) {
    const auto places = options_.region / load.bytes;
    const iovec piece{buffers_.of(slot), load.bytes};
    do {
        const auto place = load.order == Order::random ? random_() % places : sequence_++ % places;
        if (load.direction == Direction::read) {
            co_await volume_.read(place * load.bytes, std::span{&piece, 1});
        } else {
            co_await volume_.write(place * load.bytes, std::span{&piece, 1});
        }
        if (load.direction == Direction::durable_write) co_await volume_.flush();
        ++done_;
    } while (Clock::now() < end);
}

io::Task<void> run_on(io::Loop& loop, const pool::Pool& pool, const pool::Holding& held,
                      const Options& options) {
    pool::HeldLayers layers{held};
    const auto volume = co_await pool::open_volume(loop, pool, held, layers);
    Run run{*volume, options};
    auto measured = co_await run.measure().result();
    auto closed = co_await volume->shut_down().result();
    co_await std::move(measured);
    co_await std::move(closed);
}

sheaf::Result<void> run(int count, char** words) {
    if (count < 3) return sheaf::fail(sheaf::Kind::invalid, "POOL VOLUME [key=value ...]");
    const auto pool = TRY(pool::Pool::open(words[1]));
    const auto held = TRY(pool->hold(pool::Shelf::volumes, words[2], "volume_io"));
    const auto loop = TRY(io::make_loop());
    return io::run(*loop, run_on(*loop, *pool, held, parse(count - 1, words + 1)));
}

}  // namespace
}  // namespace bench

int main(int count, char** words) {
    if (const auto outcome = bench::run(count, words); !outcome) {
        std::fprintf(stderr, "volume_io: %s\n", outcome.error().text().c_str());
        return 1;
    }
    std::printf("blk done\n");
    return 0;
}
