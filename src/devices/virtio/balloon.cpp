#include "devices/virtio/balloon.h"

#include <linux/virtio_balloon.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace sheaf::virtio {

namespace {

constexpr std::uint16_t queue_size = 128;
// A driver may number its queues with or without the one of FREE_PAGE_HINT, which is not offered;
// what comes after the statistics are reports either way (see docs/devices/virtio-balloon.md).
constexpr unsigned queue_count = 5;
constexpr unsigned inflate_queue = 0;
constexpr unsigned deflate_queue = 1;
constexpr unsigned statistics_queue = 2;

constexpr std::uint64_t page_size = 1U << VIRTIO_BALLOON_PFN_SHIFT;
constexpr std::size_t most_pages = 1024;  // of one request; Linux sends 256

// How much is given back before the loop's other work gets a turn. Each call into the kernel counts
// for as much as it costs at least.
constexpr std::uint64_t most_at_once = 8_MiB;
constexpr std::uint64_t least_cost = 64_KiB;

}  // namespace

Balloon::Balloon(io::Loop& loop, const vmm::GuestMemory& memory, const Options& options)
    : loop_(loop),
      memory_(memory),
      options_(options),
      traits_{.type = DeviceType::balloon,
              .features =
                  feature(VIRTIO_BALLOON_F_STATS_VQ) | feature(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |
                  feature(VIRTIO_BALLOON_F_PAGE_POISON) | feature(VIRTIO_BALLOON_F_REPORTING),
              .queue_sizes = std::vector(queue_count, queue_size),
              .config_size = sizeof(BalloonConfig),
              .pci_class = 0x050000} {}

void Balloon::read_config(std::uint32_t offset, std::span<std::byte> data) const {
    const BalloonConfig config{.wanted_pages = wanted_pages_.load(),
                               .actual_pages = actual_pages_.load(),
                               .poison = poison_.load()};
    std::ranges::copy(bytes_of(config).subspan(offset, data.size()), data.begin());
}

// A driver writes a field as a whole.
void Balloon::write_config(std::uint32_t offset, std::span<const std::byte> data) {
    if (data.size() != sizeof(std::uint32_t)) return;
    const auto value = load<std::uint32_t>(data);
    if (offset == offsetof(BalloonConfig, actual_pages)) actual_pages_.store(value);
    if (offset == offsetof(BalloonConfig, poison)) poison_.store(value);
}

Result<void> Balloon::activate(Features features) {
    negotiated_ = features;
    return {};
}

void Balloon::deactivate() {
    negotiated_ = 0;
    actual_pages_.store(0);
    poison_.store(0);
}

void Balloon::inflate_to(std::uint64_t bytes) {
    const auto pages = std::min(bytes, memory_.size()) / page_size;
    wanted_pages_.store(static_cast<std::uint32_t>(std::min<std::uint64_t>(pages, ~0U)));
    config_changed();
}

std::uint64_t Balloon::actual() const {
    return actual_pages_.load() * page_size;
}

io::Task<void> Balloon::serve(Queue& queue) {
    switch (queue.index()) {
        case inflate_queue: return inflate(queue);
        case deflate_queue: return deflate(queue);
        case statistics_queue:
            if (has(VIRTIO_BALLOON_F_STATS_VQ)) return serve_statistics(queue);
            [[fallthrough]];
        default: return take_reports(queue);
    }
}

io::Task<void> Balloon::inflate(Queue& queue) {
    Spent spent;
    while (auto chain = co_await queue.next()) {
        for (const auto pages : runs(take_pages(*chain)))
            spent.bytes += give_back(pages, account_.inflated);
        co_await let_others_go_on(spent);
    }
}

// Nothing has to be done for a page that is used again: the host gives it when it is touched.
io::Task<void> Balloon::deflate(Queue& queue) {
    while (auto chain = co_await queue.next())
        account_.deflated.add(take_pages(*chain).size() * page_size);
}

io::Task<void> Balloon::serve_statistics(Queue& queue) {
    ChainStock stock;
    co_await serve_from_stock(queue, stock, gather_statistics(stock));
}

// The driver answers each buffer that it gets back with a list (virtio 1.2, section 5.5.6.3).
io::Task<void> Balloon::gather_statistics(ChainStock& stock) {
    while (true) {
        if (stock.empty()) co_await stock.wait_for_more_than(0);
        auto chain = stock.take();
        statistics_.take(chain.readable());
        co_await loop_.sleep(options_.statistics_every);
    }
}

// Free pages (virtio 1.2, section 5.5.6.7). They may be changed only to what the guest fills free
// pages with, and what is given back reads as zeroes.
io::Task<void> Balloon::take_reports(Queue& queue) {
    Spent spent;
    while (auto chain = co_await queue.next()) {
        if (!has(VIRTIO_BALLOON_F_REPORTING)) continue;
        if (has(VIRTIO_BALLOON_F_PAGE_POISON) && poison_.load() != 0) continue;
        for (const auto& piece : chain->writable().vectors()) {
            auto rest = std::span{static_cast<std::byte*>(piece.iov_base), piece.iov_len};
            while (!rest.empty() && !queue.stopped()) {
                const auto part = rest.first(std::min(rest.size(), most_at_once));
                rest = rest.subspan(part.size());
                spent.bytes += give_back(part, account_.reported);
                co_await let_others_go_on(spent);
            }
        }
    }
}

io::Task<void> Balloon::let_others_go_on(Spent& spent) {
    if (spent.bytes < most_at_once) co_return;
    spent.bytes = 0;
    co_await loop_.sleep(io::Duration::zero());
}

// The page numbers of a request, in order; none where there are too many or half of one.
std::vector<std::uint32_t> Balloon::take_pages(Chain& chain) {
    auto& from = chain.readable();
    std::vector<std::uint32_t> pages(std::min(from.size() / sizeof(std::uint32_t), most_pages));
    if (from.size() != pages.size() * sizeof(std::uint32_t) ||
        !from.copy_out(std::as_writable_bytes(std::span{pages}))) {
        account_.refused.add();
        return {};
    }
    std::ranges::sort(pages);
    return pages;
}

// Neighbours become one run, so that they cost one call. The hole in the guest's memory keeps a run
// within one region.
std::vector<std::span<std::byte>> Balloon::runs(std::span<const std::uint32_t> pages) {
    std::vector<std::span<std::byte>> runs;
    std::uint64_t next = 0;
    for (const std::uint64_t page : pages) {
        const auto bytes = memory_.slice(Gpa{page * page_size}, page_size);
        if (!bytes) {
            account_.refused.add();
        } else if (!runs.empty() && page == next) {
            runs.back() = {runs.back().data(), runs.back().size() + page_size};
            next = page + 1;
        } else {
            runs.push_back(*bytes);
            next = page + 1;
        }
    }
    return runs;
}

// Gives what it cost, in bytes.
std::uint64_t Balloon::give_back(std::span<std::byte> bytes, Counter& counter) {
    if (const auto given = memory_.discard(bytes)) {
        counter.add(*given);
    } else {
        account_.refused.add();
    }
    return std::max<std::uint64_t>(bytes.size(), least_cost);
}

}  // namespace sheaf::virtio
