#pragma once

// Why: the guest's disk (virtio 1.2, section 5.2) over any storage::Block. Data moves straight
// between guest memory and the disk; every request ends with a status byte, written last.
// Features and what is missing: docs/devices/virtio-blk.md.

#include <atomic>
#include <string>

#include "devices/virtio/device.h"
#include "storage/block.h"

namespace sheaf::virtio {

// Device configuration (virtio 1.2, section 5.2.4).
struct BlkConfig {
    std::uint64_t capacity = 0;  // sectors of 512 bytes
    std::uint32_t size_max = 0;
    std::uint32_t seg_max = 0;
    std::uint16_t cylinders = 0;
    std::uint8_t heads = 0;
    std::uint8_t sectors = 0;
    std::uint32_t blk_size = 0;
    std::uint8_t physical_block_exp = 0;
    std::uint8_t alignment_offset = 0;
    std::uint16_t min_io_size = 0;
    std::uint32_t opt_io_size = 0;
    std::uint8_t writeback = 0;
    std::uint8_t unused0 = 0;
    std::uint16_t num_queues = 0;
    std::uint32_t max_discard_sectors = 0;
    std::uint32_t max_discard_seg = 0;
    std::uint32_t discard_sector_alignment = 0;
    std::uint32_t max_write_zeroes_sectors = 0;
    std::uint32_t max_write_zeroes_seg = 0;
    std::uint8_t write_zeroes_may_unmap = 0;
    std::uint8_t unused1[3] = {};
    std::uint32_t secure_erase_not_offered = 0;
    static constexpr std::uint32_t offered_size = 60;  // the fields up to unused1
};
static_assert(sizeof(BlkConfig) == 64 && WireStruct<BlkConfig>);

class Blk final : public Device {
  public:
    struct Options {
        std::uint16_t queue_count = 1;
        std::uint16_t queue_size = 256;  // a power of two
        std::string serial;              // its first 20 bytes are what the guest sees
    };

    // The disk outlives the device.
    Blk(storage::Block& disk, const Options& options);

    const Traits& traits() const override { return traits_; }
    void read_config(std::uint32_t offset, std::span<std::byte> data) const override;
    void write_config(std::uint32_t offset, std::span<const std::byte> data) override;
    Result<void> activate(Features features) override;
    io::Task<void> serve(Queue& queue) override;
    void deactivate() override;

    // The disk has another size now: tells the guest. Loop thread.
    void resized();

  private:
    // One request, its header copied once out of guest memory.
    struct Request {
        std::uint32_t type = 0;
        std::uint64_t offset = 0;  // bytes
    };

    io::Task<void> answer(Chain chain);
    static Result<Request> parse(Chain& chain);
    io::Task<void> perform(const Request& request, Chain& chain);
    io::Task<void> write_through(std::uint64_t offset, std::span<const iovec> vectors);
    io::Task<void> discard_or_zero(std::uint32_t type, Readable& ranges);
    Result<void> identify(Writable& to) const;
    bool writes_through() const;

    storage::Block& disk_;
    BlkConfig config_;  // but for the two that change
    std::atomic<std::uint64_t> capacity_;
    std::atomic<std::uint8_t> writeback_ = 1;
    Features negotiated_ = 0;
    Traits traits_;
    std::string serial_;
};

}  // namespace sheaf::virtio
