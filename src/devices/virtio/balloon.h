#pragma once

// Why: memory that a guest does not use belongs to its host (virtio 1.2, section 5.5). Free pages
// are reported by the guest and given back at once; a balloon takes more of them when it is told
// to; statistics say how the guest fares.
// Features and what is missing: docs/devices/virtio-balloon.md.

#include <atomic>

#include "devices/virtio/balloon_statistics.h"
#include "devices/virtio/chain_stock.h"
#include "devices/virtio/device.h"
#include "vmm/guest_memory.h"

namespace sheaf::virtio {

// Device configuration (virtio 1.2, section 5.5.4). Pages are of 4 KiB, whatever the host's are.
struct BalloonConfig {
    std::uint32_t wanted_pages = 0;
    std::uint32_t actual_pages = 0;  // the driver's
    std::uint32_t hint_command_not_offered = 0;
    std::uint32_t poison = 0;  // the driver's
};
static_assert(sizeof(BalloonConfig) == 16 && WireStruct<BalloonConfig>);

class Balloon final : public Device {
  public:
    struct Options {
        // How often the guest is asked for its statistics.
        io::Duration statistics_every = std::chrono::seconds{10};
    };

    // What became of the guest's memory. Any thread.
    struct Account {
        Counter inflated;  // bytes that went into the balloon
        Counter deflated;  // bytes that came back out
        Counter reported;  // bytes of free pages that were given back to the host
        Counter refused;   // pages and ranges that are not guest memory, or too many at once
    };

    // Both outlive the device.
    Balloon(io::Loop& loop, const vmm::GuestMemory& memory, const Options& options);

    const Traits& traits() const override { return traits_; }
    void read_config(std::uint32_t offset, std::span<std::byte> data) const override;
    void write_config(std::uint32_t offset, std::span<const std::byte> data) override;
    Result<void> activate(Features features) override;
    io::Task<void> serve(Queue& queue) override;
    void deactivate() override;

    // Asks the guest to leave so many bytes to the host, rounded down to pages; no more than it
    // has. It gives what it can spare. Loop thread.
    void inflate_to(std::uint64_t bytes);

    // Bytes in the balloon, as the guest says. Any thread.
    std::uint64_t actual() const;
    const BalloonStatistics& statistics() const { return statistics_; }
    const Account& account() const { return account_; }

  private:
    struct Spent {
        std::uint64_t bytes = 0;  // given back since the loop's other work had a turn
    };

    io::Task<void> inflate(Queue& queue);
    io::Task<void> deflate(Queue& queue);
    io::Task<void> serve_statistics(Queue& queue);
    io::Task<void> gather_statistics(ChainStock& stock);
    io::Task<void> take_reports(Queue& queue);
    io::Task<void> let_others_go_on(Spent& spent);
    std::vector<std::uint32_t> take_pages(Chain& chain);
    std::vector<std::span<std::byte>> runs(std::span<const std::uint32_t> pages);
    std::uint64_t give_back(std::span<std::byte> bytes, Counter& counter);
    bool has(unsigned bit) const { return (negotiated_ & feature(bit)) != 0; }

    io::Loop& loop_;
    const vmm::GuestMemory& memory_;
    const Options options_;
    Traits traits_;
    Features negotiated_ = 0;
    std::atomic<std::uint32_t> wanted_pages_ = 0;
    std::atomic<std::uint32_t> actual_pages_ = 0;
    std::atomic<std::uint32_t> poison_ = 0;
    BalloonStatistics statistics_;
    Account account_;
};

}  // namespace sheaf::virtio
