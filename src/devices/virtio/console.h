#pragma once

// Why: a console without registers and without an exit per byte (virtio 1.2, section 5.3), over the
// same console::Backend as the serial port.
// Features and what is missing: docs/devices/virtio-console.md.

#include <atomic>

#include "devices/console/backend.h"
#include "devices/virtio/chain_stock.h"
#include "devices/virtio/device.h"

namespace sheaf::virtio {

// Device configuration (virtio 1.2, section 5.3.4).
struct ConsoleConfig {
    std::uint16_t columns = 0;
    std::uint16_t rows = 0;
    std::uint32_t max_ports = 1;
    std::uint32_t emergency_write = 0;
};
static_assert(sizeof(ConsoleConfig) == 12 && WireStruct<ConsoleConfig>);

class Console final : public Device, public console::Listener {
  public:
    struct Size {
        std::uint16_t columns = 80;
        std::uint16_t rows = 24;
    };

    // The backend outlives the console, which becomes its listener.
    explicit Console(console::Backend& backend);
    ~Console() override;

    const Traits& traits() const override { return traits_; }
    void read_config(std::uint32_t offset, std::span<std::byte> data) const override;
    void write_config(std::uint32_t offset, std::span<const std::byte> data) override;
    io::Task<void> serve(Queue& queue) override;
    void input_available() override { input_.set(); }

    // The reader's window has another size. Loop thread.
    void resize(const Size& size);

  private:
    io::Task<void> type(ChainStock& stock);
    io::Task<void> print(Queue& queue);

    console::Backend& backend_;
    Traits traits_;
    std::atomic<std::uint32_t> size_;  // columns, and rows in the high half
    io::Event input_;
};

}  // namespace sheaf::virtio
