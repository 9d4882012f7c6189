#include "devices/virtio/console.h"

#include <linux/virtio_console.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace sheaf::virtio {

namespace {

constexpr std::uint16_t queue_size = 64;
constexpr unsigned receive_queue = 0;

// How much is copied before the backend sees it; its own room is what bounds a flood.
constexpr std::size_t piece_size = 1024;
// The most that is printed of one buffer, which may be as long as the guest's memory.
constexpr std::size_t most_printed = 1024 * 1024;

std::uint32_t packed(const Console::Size& size) {
    return static_cast<std::uint32_t>(size.rows) << 16 | size.columns;
}

}  // namespace

Console::Console(console::Backend& backend)
    : backend_(backend),
      traits_{.type = DeviceType::console,
              .features = feature(VIRTIO_CONSOLE_F_SIZE) | feature(VIRTIO_CONSOLE_F_EMERG_WRITE),
              .queue_sizes = {queue_size, queue_size},
              .config_size = sizeof(ConsoleConfig),
              .pci_class = 0x078000},
      size_(packed(Size{})) {
    backend_.listen(this);
}

Console::~Console() {
    backend_.listen(nullptr);
}

void Console::read_config(std::uint32_t offset, std::span<std::byte> data) const {
    const auto size = size_.load();
    const ConsoleConfig config{.columns = static_cast<std::uint16_t>(size),
                               .rows = static_cast<std::uint16_t>(size >> 16)};
    std::ranges::copy(bytes_of(config).subspan(offset, data.size()), data.begin());
}

// A byte written to emergency_write is printed at once, also before there are queues.
void Console::write_config(std::uint32_t offset, std::span<const std::byte> data) {
    if (offset == offsetof(ConsoleConfig, emergency_write)) backend_.write(data.first(1));
}

void Console::resize(const Size& size) {
    size_.store(packed(size));
    config_changed();
}

io::Task<void> Console::serve(Queue& queue) {
    if (queue.index() != receive_queue) {
        co_await print(queue);
        co_return;
    }
    ChainStock stock;
    co_await serve_from_stock(queue, stock, type(stock));
}

// What was typed goes into the driver's buffers; while there are none it waits in the backend.
io::Task<void> Console::type(ChainStock& stock) {
    std::array<std::byte, piece_size> bytes;
    while (true) {
        if (stock.empty()) co_await stock.wait_for_more_than(0);
        auto& to = stock[0].writable();
        input_.clear();
        const auto room = std::span{bytes}.first(std::min(bytes.size(), to.size()));
        const auto count = backend_.read(room);
        if (count > 0 || room.empty()) {
            auto chain = stock.take();
            if (chain.writable().copy_in(room.first(count)))
                chain.set_written(static_cast<std::uint32_t>(count));
            continue;
        }
        co_await input_.wait();
    }
}

io::Task<void> Console::print(Queue& queue) {
    std::array<std::byte, piece_size> bytes;
    while (auto chain = co_await queue.next()) {
        auto& from = chain->readable();
        // Of a longer one the end is what a slow reader would be left with anyway.
        const auto kept = std::min<std::size_t>(from.size(), most_printed);
        static_cast<void>(from.skip(from.size() - kept));
        while (from.size() > 0) {
            const auto piece = std::span{bytes}.first(std::min(bytes.size(), from.size()));
            if (!from.copy_out(piece)) break;
            backend_.write(piece);
        }
    }
}

}  // namespace sheaf::virtio
