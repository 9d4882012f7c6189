// The loads of loads.h on a volume of Sheaf's own, by its engine on the host's loop, without any
// guest: volume_io DIRECTORY [key=value ...]. The volume is made in the directory, filled, measured
// hot (the regions that are written are marked before), and left for the one who called to remove.

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "base/units.h"
#include "io/make_loop.h"
#include "loads.h"
#include "storage/aligned_buffer.h"
#include "storage/volume/volume.h"

namespace {

using namespace sheaf;
using namespace bench;
using volume::Volume;

// A volume in a directory, with what belongs to it.
class Disk {
  public:
    Disk(io::Loop& loop, std::string directory, const Options& options)
        : loop_(loop), directory_(std::move(directory)), options_(options) {
        std::ranges::fill(buffers_.bytes(), std::byte{0x5a});
    }

    io::Task<void> measure();

  private:
    Result<volume::Files> files() const;
    io::Task<void> fill();
    io::Task<void> warm();
    io::Task<void> cold();
    io::Task<void> run(Load load);
    io::Task<void> worker(Load load, unsigned slot, Clock::time_point end);
    std::span<std::byte> buffer(unsigned slot) const {
        return buffers_.bytes().subspan(slot * most_bytes, most_bytes);
    }

    io::Loop& loop_;
    std::string directory_;
    Options options_;
    storage::AlignedBuffer buffers_{most_depth * most_bytes};
    std::unique_ptr<Volume> volume_;
    std::mt19937_64 random_{1};
    std::uint64_t sequence_ = 0;
    std::uint64_t done_ = 0;
};

Result<volume::Files> Disk::files() const {
    const auto open = [this](const char* name) {
        return checked_fd(::open((directory_ + "/" + name).c_str(),
                                 O_RDWR | O_CREAT | O_CLOEXEC | O_DIRECT, 0600),
                          "{}", name);
    };
    volume::Files files;
    files.journal[0] = TRY(open("journal.0"));
    files.journal[1] = TRY(open("journal.1"));
    files.intent = TRY(open("intent"));
    auto& head = files.layers.emplace_back();
    head.id = {1};
    head.map = TRY(open("map"));
    head.data = TRY(open("data"));
    struct stat about{};
    TRY(checked(::fstat(head.data.get(), &about), "data"));
    head.data_size = static_cast<std::uint64_t>(about.st_size);
    return files;
}

io::Task<void> Disk::measure() {
    volume::Shape shape;
    shape.size = options_.region;
    shape.id = {2};
    shape.head = {1};
    auto made = co_await files();
    co_await Volume::create(loop_, std::move(made), shape);
    auto opened = co_await files();
    volume_ = co_await Volume::open(loop_, std::move(opened), volume::Options{});
    if (options_.wants("cold_write_qd32")) co_await cold();
    co_await fill();
    for (const auto& load : loads) {
        if (!options_.wants(load.name)) continue;
        if (load.direction != Direction::read) co_await warm();
        co_await run(load);
    }
    co_await volume_->shut_down();
}

io::Task<void> Disk::fill() {
    for (std::uint64_t offset = 0; offset < options_.region; offset += most_bytes) {
        const iovec piece{buffer(0).data(), most_bytes};
        co_await volume_->write(offset, std::span{&piece, 1});
    }
    co_await volume_->flush();
}

// One write into each region marks it.
io::Task<void> Disk::warm() {
    for (std::uint64_t offset = 0; offset < options_.region; offset += volume::region_size) {
        const iovec piece{buffer(0).data(), volume::block_size};
        co_await volume_->write(offset, std::span{&piece, 1});
    }
}

// Nothing was ever written: each request takes space and marks its region.
io::Task<void> Disk::cold() {
    const Load load{"cold_write_qd32", Direction::write, 4096, 32, Order::random};
    co_await run(load);
}

io::Task<void> Disk::run(Load load) {
    done_ = 0;
    const auto begin = Clock::now();
    const auto end = begin + std::chrono::milliseconds{options_.milliseconds};
    io::TaskGroup workers;
    for (unsigned slot = 0; slot < load.depth; ++slot) workers.start(worker(load, slot, end));
    co_await workers.join();
    print(load.name, done_, Clock::now() - begin);
}

io::Task<void> Disk::worker(Load load, unsigned slot, Clock::time_point end) {
    const auto places = options_.region / load.bytes;
    const iovec piece{buffer(slot).data(), load.bytes};
    const std::span vectors{&piece, 1};
    do {
        const auto place = load.order == Order::random ? random_() % places : sequence_++ % places;
        if (load.direction == Direction::read) {
            co_await volume_->read(place * load.bytes, vectors);
        } else {
            co_await volume_->write(place * load.bytes, vectors);
        }
        if (load.direction == Direction::durable_write) co_await volume_->flush();
        ++done_;
    } while (Clock::now() < end);
}

io::Task<void> run_all(Disk& disk, io::Loop& loop, int& code) {
    const auto outcome = co_await disk.measure().result();
    if (outcome) {
        std::printf("blk done\n");
    } else {
        code = 1;
        std::fprintf(stderr, "volume_io: %s\n", outcome.error().text().c_str());
    }
    loop.stop();
}

}  // namespace

int main(int count, char** words) {
    if (count < 2) {
        std::fprintf(stderr, "usage: volume_io DIRECTORY [key=value ...]\n");
        return 1;
    }
    auto loop = io::make_loop();
    if (!loop) {
        std::fprintf(stderr, "volume_io: %s\n", loop.error().text().c_str());
        return 1;
    }
    Disk disk{**loop, words[1], parse(count, words)};
    auto code = 0;
    io::TaskGroup group;
    group.start(run_all(disk, **loop, code));
    (*loop)->run();
    return code;
}
