// A hostile driver at the whole of a virtio PCI function: configuration space, BARs wherever they
// are moved, registers, MSI-X, doorbells and what lies in guest memory, in any order and width,
// with turns of the loop in between. Whatever it does, nothing crashes, the status is one that the
// specification knows, and a reset in the end makes the device as new.

#include <cstdlib>

#include "devices/virtio/blk.h"
#include "driver_input.h"
#include "io/make_loop.h"
#include "support/driven_transport.h"
#include "support/turns.h"
#include "unit/devices/virtio/ram_block.h"
#include "vmm/layout.h"

namespace sheaf::virtio {
namespace {

namespace common = test::common;
namespace layout = pci_layout;

constexpr std::size_t steps_limit = 400;

void require(bool holds) {
    if (!holds) std::abort();
}

// A device status that virtio 1.2, section 2.1, allows. Each step includes those before it.
bool is_known(std::uint8_t value) {
    constexpr std::uint8_t defined = status::acknowledge | status::driver | status::driver_ok |
                                     status::features_ok | status::needs_reset | status::failed;
    const auto has = [&](std::uint8_t bit) { return (value & bit) != 0; };
    return (value & ~defined) == 0 && (!has(status::driver) || has(status::acknowledge)) &&
           (!has(status::features_ok) || has(status::driver)) &&
           (!has(status::driver_ok) || has(status::features_ok)) &&
           (!has(status::needs_reset) || has(status::driver_ok));
}

class Session {
  public:
    explicit Session(test::Input input) : input_(input) {}

    void run() {
        for (std::size_t step = 0; step < steps_limit && !input_.empty(); ++step) {
            act();
            if (step % 8 == 0) check();
        }
        end();
    }

  private:
    void act() {
        const auto what = input_.number<std::uint8_t>();
        switch (what % 12) {
            case 0: test::turn(*loop()); break;
            case 1: access_config(what, input_.number<std::uint8_t>()); break;
            case 2: access_common(what); break;
            case 3: access_bar(what, layout::registers_bar); break;
            case 4: access_bar(what, layout::msix_bar); break;
            case 5: driven_.notify(what / 12 % 3); break;
            case 6: move_bar(what); break;
            case 7: use_window(what); break;
            case 8: become_ready(); break;
            case 9: offer(what); break;
            case 10: spoil_ring(what); break;
            default: driven_.set_status(input_.number<std::uint8_t>()); break;
        }
    }

    // A write of 1 to 8 bytes of the input, or a read.
    void access(std::uint64_t address, std::uint8_t how) {
        auto bytes = std::array<std::byte, 8>{};
        const auto data = std::span{bytes}.first(std::size_t{1} << how / 12 % 4);
        if (how & 0x80) {
            driven_.memory().read(address, data);
        } else {
            std::ranges::copy(input_.bytes(data.size()), data.begin());
            driven_.memory().write(address, data);
        }
        driven_.follow_bar();
    }
    void access_config(std::uint8_t how, std::uint64_t offset) {
        access(driven_.config_at(static_cast<unsigned>(offset)).value(), how);
    }
    void access_common(std::uint8_t how) {
        access(driven_.registers().value() + input_.number<std::uint8_t>() % Registers::size, how);
    }
    void access_bar(std::uint8_t how, unsigned bar) {
        const auto start = driven_.config<std::uint32_t>(pci::config::bars + 4 * bar);
        access(std::uint64_t{start} + input_.number<std::uint16_t>() % 0x4000, how);
    }
    void move_bar(std::uint8_t how) {
        const auto page = std::uint32_t{input_.number<std::uint8_t>()} << 12;
        const auto window = static_cast<std::uint32_t>(vmm::layout::mmio_window.value());
        driven_.set_config(pci::config::bars + 4 * (how / 12 % 2), window + page);
        if (how & 0x80) driven_.set_config(pci::config::command, pci::command_memory);
        driven_.follow_bar();
    }
    void use_window(std::uint8_t how) {
        const auto at = driven_.capability(layout::vendor_capability,
                                           static_cast<std::uint8_t>(layout::Structure::access));
        driven_.set_config(at + layout::access_offset,
                           std::uint32_t{input_.number<std::uint16_t>()});
        driven_.set_config(at + layout::access_length, 1u << how / 12 % 4);
        access_config(how, at + layout::access_data);
    }
    // What a driver that behaves does up to DRIVER_OK, so that the input need not find it.
    void become_ready() {
        const auto features = Features{input_.number<std::uint32_t>()} | version_1;
        driven_.negotiate(features & driven_.offered());
        for (const auto& queue : queues_) driven_.enable(queue.setup(), queue.setup().index);
        driven_.drive();
    }
    void offer(std::uint8_t how) {
        const std::size_t queue = how / 12 % 2;
        static_cast<void>(test::offer_chain(input_, queues_[queue], budgets_[queue]));
    }
    void spoil_ring(std::uint8_t how) {
        auto& queue = queues_[how / 12 % 2];
        switch (how / 24 % 4) {
            case 0: queue.put_available(input_.number<std::uint16_t>()); break;
            case 1: queue.set_available_index(input_.number<std::uint16_t>()); break;
            case 2: queue.set_used_event(input_.number<std::uint16_t>()); break;
            default:
                queue.set_descriptor(input_.number<std::uint8_t>() % queue.size(),
                                     input_.number<Descriptor>());
                break;
        }
    }

    std::uint8_t device_status() {
        driven_.set_config(pci::config::command, pci::command_memory);
        driven_.follow_bar();
        return driven_.status();
    }
    void check() {
        driven_.follow_bar();
        auto value = std::uint8_t{0};
        const auto window = vmm::layout::mmio_window;
        if (driven_.registers() < window) return;
        if (driven_.registers() >= window + vmm::layout::mmio_window_size) return;
        if (driven_.memory().read((driven_.registers() + common::status).value(),
                                  std::as_writable_bytes(std::span{&value, 1})))
            require(is_known(value));
    }
    void end() {
        const auto window = static_cast<std::uint32_t>(vmm::layout::mmio_window.value());
        driven_.set_config(pci::config::command, std::uint16_t{0});
        driven_.set_config(pci::config::bars, window);
        driven_.set_config(pci::config::bars + 4, window + layout::registers_size);
        require(is_known(device_status()));
        driven_.reset();
        require(test::run_until(*loop(), [this] { return driven_.status() == 0; }));
        require(driven_.doorbells().places().empty());
        require(driven_.get<std::uint8_t>(layout::isr) == 0);
        require(driven_.get<std::uint16_t>(common::queue_enable) == 0);
        // A driver that behaves finds a device that works.
        require(driven_.negotiate(version_1) != 0);
        test::DriverQueue queue{guest_, {.size = 4, .event_index = false, .indirect = false}};
        driven_.enable(queue.setup());
        queue.chain().readable(std::array<std::uint32_t, 4>{8}).writable(20).writable(1).offer();
        driven_.drive();
        require(test::run_until(*loop(), [&] { return queue.used_index() == 1; }));
        require(driven_.status() == 15);
    }

    static const std::unique_ptr<io::Loop>& loop() {
        static const auto made = io::make_loop().value();
        return made;
    }

    test::Input input_;
    test::FakeGuest guest_{2_MiB};
    storage::RamBlock disk_{64_KiB};
    test::DriverQueue queues_[2] = {{guest_, {.index = 0, .size = 64}},
                                    {guest_, {.index = 1, .size = 64}}};
    test::Budget budgets_[2];
    test::DrivenTransport driven_{
        *loop(), guest_,
        std::make_unique<Blk>(disk_, Blk::Options{.queue_count = 2, .queue_size = 64})};
};

}  // namespace
}  // namespace sheaf::virtio

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sheaf::virtio::Session{{data, size}}.run();
    return 0;
}
