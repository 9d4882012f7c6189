#include "support/driven_transport.h"

#include "support/turns.h"
#include "vmm/layout.h"

namespace sheaf::test {

namespace {

namespace layout = virtio::pci_layout;
namespace status = virtio::status;

constexpr unsigned slot = 1;  // the bridge is in slot 0

}  // namespace

DrivenTransport::DrivenTransport(io::Loop& loop, FakeGuest& guest,
                                 std::unique_ptr<virtio::Device> device, FakeDoorbells::Host host)
    : loop_(loop), doorbells_(host) {
    const auto around = virtio::Surroundings{.loop = loop,
                                             .guest_memory = guest.memory(),
                                             .memory_bus = memory_,
                                             .interrupts = msi_,
                                             .doorbells = doorbells_,
                                             .log = log_};
    auto function = std::make_unique<virtio::PciTransport>(around, std::move(device));
    transport_ = function.get();
    must(root_.add(std::move(function)));
    must(root_.attach(ports_, memory_));
    must(root_.assign_bars());
    follow_bar();
}

DrivenTransport::~DrivenTransport() {
    if (!io::run(loop_, transport_->shutdown())) std::abort();
}

Gpa DrivenTransport::config_at(unsigned offset) {
    return vmm::layout::ecam + (slot << 15 | offset);
}

void DrivenTransport::follow_bar() {
    registers_ = Gpa{config<std::uint32_t>(pci::config::bars + 4 * layout::registers_bar)};
}

virtio::Features DrivenTransport::offered() const {
    set(common::device_feature_select, std::uint32_t{0});
    const auto low = virtio::Features{get<std::uint32_t>(common::device_feature)};
    set(common::device_feature_select, std::uint32_t{1});
    return low | virtio::Features{get<std::uint32_t>(common::device_feature)} << 32;
}

void DrivenTransport::accept(virtio::Features features) const {
    for (const std::uint32_t half : {0, 1}) {
        set(common::driver_feature_select, half);
        set(common::driver_feature, static_cast<std::uint32_t>(features >> 32 * half));
    }
}

std::uint8_t DrivenTransport::negotiate(virtio::Features features) const {
    set_status(status::acknowledge);
    set_status(status::acknowledge | status::driver);
    accept(features);
    set_status(status::acknowledge | status::driver | status::features_ok);
    return status();
}

void DrivenTransport::enable(const virtio::QueueSetup& setup, std::uint16_t vector) const {
    set(common::queue_select, setup.index);
    set(common::queue_size, setup.size);
    set(common::queue_descriptors, setup.descriptors.value());
    set(common::queue_driver_area, setup.driver_area.value());
    set(common::queue_device_area, setup.device_area.value());
    set(common::queue_vector, vector);
    set(common::queue_enable, std::uint16_t{1});
}

void DrivenTransport::notify(std::uint16_t queue) const {
    const auto offset = layout::notify + layout::notify_multiplier * queue;
    if (!doorbells_.ring(registers_ + offset)) set(offset, queue);
}

unsigned DrivenTransport::capability(std::uint8_t identifier,
                                     std::optional<std::uint8_t> structure) const {
    unsigned at = config<std::uint8_t>(pci::config::capabilities);
    for (; at != 0; at = config<std::uint8_t>(at + 1))
        if (config<std::uint8_t>(at) == identifier &&
            (!structure || config<std::uint8_t>(at + 3) == *structure))
            break;
    return at;
}

void DrivenTransport::enable_msix() const {
    set_config(capability(layout::msix_capability) + 2, std::uint16_t{0x8000});
}

vmm::MsiMessage DrivenTransport::open_vector(unsigned vector) const {
    const auto message = vmm::MsiMessage{.address = 0xfee00000, .data = 0x40 + vector};
    const auto table = Gpa{config<std::uint32_t>(pci::config::bars + 4 * layout::msix_bar)} +
                       std::uint64_t{16} * vector;
    memory_.write(table.value(), bytes_of(message.address));
    memory_.write((table + 8).value(), bytes_of(std::uint64_t{message.data}));
    enable_msix();
    return message;
}

}  // namespace sheaf::test
