#include "devices/virtio/blk.h"

#include <linux/virtio_blk.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

#include "base/units.h"
#include "io/task_group.h"

namespace sheaf::virtio {

namespace {

constexpr std::uint64_t sector_size = 512;
constexpr std::uint32_t most_segments = 254;  // with header and status a full queue of 256
constexpr std::uint32_t most_ranges = 32;     // of one discard or write-zeroes request
constexpr std::uint32_t most_discard_sectors = 4_GiB / sector_size;
constexpr std::uint32_t most_zero_sectors = 256_MiB / sector_size;

struct WireHeader {
    std::uint32_t type;
    std::uint32_t reserved;
    std::uint64_t sector;
};
struct WireRange {
    std::uint64_t sector;
    std::uint32_t sector_count;
    std::uint32_t flags;
};
enum class Status : std::uint8_t {
    ok = VIRTIO_BLK_S_OK,
    io_error = VIRTIO_BLK_S_IOERR,
    unsupported = VIRTIO_BLK_S_UNSUPP,
};

Features features_of(const storage::Geometry& geometry, std::uint16_t queue_count) {
    auto features = feature(VIRTIO_BLK_F_SEG_MAX) | feature(VIRTIO_BLK_F_BLK_SIZE) |
                    feature(VIRTIO_BLK_F_TOPOLOGY) | feature(VIRTIO_BLK_F_FLUSH) |
                    feature(VIRTIO_BLK_F_CONFIG_WCE);
    if (queue_count > 1) features |= feature(VIRTIO_BLK_F_MQ);
    if (geometry.read_only) return features | feature(VIRTIO_BLK_F_RO);
    features |= feature(VIRTIO_BLK_F_WRITE_ZEROES);
    if (geometry.discard_granularity > 0) features |= feature(VIRTIO_BLK_F_DISCARD);
    return features;
}

BlkConfig config_of(const storage::Geometry& geometry, std::uint16_t queue_count) {
    BlkConfig config;
    config.seg_max = most_segments;
    config.blk_size = geometry.block_size;
    const auto ratio = std::max(geometry.preferred_block_size / geometry.block_size, 1U);
    config.physical_block_exp = static_cast<std::uint8_t>(std::bit_width(ratio) - 1);
    config.min_io_size = static_cast<std::uint16_t>(std::min(ratio, 0xffffU));
    config.num_queues = queue_count;
    config.max_discard_sectors = most_discard_sectors;
    config.max_discard_seg = most_ranges;
    config.discard_sector_alignment =
        std::max<std::uint32_t>(geometry.discard_granularity / sector_size, 1);
    config.max_write_zeroes_sectors = most_zero_sectors;
    config.max_write_zeroes_seg = most_ranges;
    config.write_zeroes_may_unmap = 1;
    return config;
}

Status status_of(const Result<void>& outcome) {
    if (outcome) return Status::ok;
    return outcome.error().kind() == Kind::unsupported ? Status::unsupported : Status::io_error;
}

// A task that is over already.
io::Task<void> finished(Result<void> outcome) {
    co_await std::move(outcome);
}

// The data part of a request must go the way its type says (virtio 1.2, section 5.2.6.1), or a read
// would be answered as done that has filled nothing.
Result<void> check_direction(std::uint32_t type, Chain& chain) {
    const bool to_driver = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
    const auto right = to_driver ? chain.writable().size() : chain.readable().size();
    const auto wrong = to_driver ? chain.readable().size() : chain.writable().size();
    const bool needs_data = to_driver || type == VIRTIO_BLK_T_OUT;
    if (wrong > 0 || (needs_data && right == 0))
        return fail(Kind::invalid, "request type {} with its data the wrong way round", type);
    return {};
}

}  // namespace

Blk::Blk(storage::Block& disk, const Options& options)
    : disk_(disk),
      config_(config_of(disk.geometry(), options.queue_count)),
      capacity_(disk.geometry().size / sector_size),
      traits_{.type = DeviceType::block,
              .features = features_of(disk.geometry(), options.queue_count),
              .queue_sizes = std::vector(options.queue_count, options.queue_size),
              .config_size = BlkConfig::offered_size,
              .pci_class = 0x010000},
      serial_(options.serial) {
    serial_.resize(VIRTIO_BLK_ID_BYTES, '\0');
}

void Blk::read_config(std::uint32_t offset, std::span<std::byte> data) const {
    auto config = config_;
    config.capacity = capacity_.load(std::memory_order_relaxed);
    config.writeback = writeback_.load(std::memory_order_relaxed);
    std::ranges::copy(bytes_of(config).subspan(offset, data.size()), data.begin());
}

void Blk::write_config(std::uint32_t offset, std::span<const std::byte> data) {
    constexpr auto field = offsetof(BlkConfig, writeback);
    if (offset > field || offset + data.size() <= field) return;
    const auto value = data[field - offset];
    writeback_.store(value == std::byte{0} ? 0 : 1, std::memory_order_relaxed);
}

Result<void> Blk::activate(Features features) {
    negotiated_ = features;
    return {};
}

void Blk::deactivate() {
    negotiated_ = 0;
    writeback_.store(1, std::memory_order_relaxed);
}

void Blk::resized() {
    capacity_.store(disk_.geometry().size / sector_size, std::memory_order_relaxed);
    config_changed();
}

// A driver that never flushes, or that turned the cache off, is told that a write is done when it
// is on the medium (virtio 1.2, section 5.2.5.2).
bool Blk::writes_through() const {
    if (!(negotiated_ & feature(VIRTIO_BLK_F_FLUSH))) return true;
    return (negotiated_ & feature(VIRTIO_BLK_F_CONFIG_WCE)) &&
           writeback_.load(std::memory_order_relaxed) == 0;
}

io::Task<void> Blk::serve(Queue& queue) {
    io::TaskGroup requests;
    while (auto chain = co_await queue.next()) requests.start(answer(*std::move(chain)));
    co_await requests.join();
}

// A request without room for a status is handed back as it is: there is nowhere to say why.
io::Task<void> Blk::answer(Chain chain) {
    std::array<iovec, 1> divided;
    const auto used = static_cast<std::uint32_t>(chain.writable().size());
    auto status_byte = chain.writable().split_last(sizeof(Status), divided);
    if (!status_byte) co_return;
    auto request = parse(chain);
    Result<void> outcome;
    if (request) {
        outcome = co_await perform(*request, chain).result();
    } else {
        outcome = Failure{std::move(request).error()};
    }
    const auto status = status_of(outcome);
    if (status_byte->copy_in(std::as_bytes(std::span{&status, 1}))) chain.set_written(used);
}

Result<Blk::Request> Blk::parse(Chain& chain) {
    const auto header = TRY(chain.readable().take<WireHeader>());
    const auto offset = checked_multiply(header.sector, sector_size);
    if (!offset) return fail(Kind::invalid, "sector {} does not exist", header.sector);
    TRY(check_direction(header.type, chain));
    return Request{.type = header.type, .offset = *offset};
}

// Not a coroutine: hands on the disk's own task, so that a request costs no frame here.
io::Task<void> Blk::perform(const Request& request, Chain& chain) {
    switch (request.type) {
        case VIRTIO_BLK_T_IN: return disk_.read(request.offset, chain.writable().vectors());
        case VIRTIO_BLK_T_OUT:
            if (writes_through()) return write_through(request.offset, chain.readable().vectors());
            return disk_.write(request.offset, chain.readable().vectors());
        case VIRTIO_BLK_T_FLUSH: return disk_.flush();
        case VIRTIO_BLK_T_GET_ID: return finished(identify(chain.writable()));
        case VIRTIO_BLK_T_DISCARD:
        case VIRTIO_BLK_T_WRITE_ZEROES: return discard_or_zero(request.type, chain.readable());
        default: return finished(fail(Kind::unsupported, "request type {}", request.type));
    }
}

io::Task<void> Blk::write_through(std::uint64_t offset, std::span<const iovec> vectors) {
    co_await disk_.write(offset, vectors);
    co_await disk_.flush();
}

Result<void> Blk::identify(Writable& to) const {
    const auto bytes = as_bytes(serial_);
    return to.copy_in(bytes.first(std::min(bytes.size(), to.size())));
}

// Discard and write zeroes (virtio 1.2, section 5.2.6.2): one range after the other.
io::Task<void> Blk::discard_or_zero(std::uint32_t type, Readable& ranges) {
    const auto zeroes = type == VIRTIO_BLK_T_WRITE_ZEROES;
    const auto needed = feature(zeroes ? VIRTIO_BLK_F_WRITE_ZEROES : VIRTIO_BLK_F_DISCARD);
    if (!(traits_.features & needed)) co_await fail(Kind::unsupported, "not offered");
    const auto count = ranges.size() / sizeof(WireRange);
    if (count == 0 || count > most_ranges || ranges.size() % sizeof(WireRange) != 0)
        co_await fail(Kind::invalid, "{} bytes of ranges", ranges.size());
    const std::uint32_t known_flags = zeroes ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0;
    const auto limit = zeroes ? most_zero_sectors : most_discard_sectors;
    while (ranges.size() > 0) {
        const auto range = co_await ranges.take<WireRange>();
        if (range.flags & ~known_flags) co_await fail(Kind::unsupported, "unknown flags");
        const auto offset = checked_multiply(range.sector, sector_size);
        if (!offset || range.sector_count > limit) co_await fail(Kind::invalid, "out of range");
        const auto length = range.sector_count * sector_size;
        if (!zeroes) {
            co_await disk_.discard(*offset, length);
            continue;
        }
        const auto unmap = (range.flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP) != 0;
        co_await disk_.zero(*offset, length,
                            unmap ? storage::Space::release : storage::Space::keep);
    }
    if (zeroes && writes_through()) co_await disk_.flush();
}

}  // namespace sheaf::virtio
