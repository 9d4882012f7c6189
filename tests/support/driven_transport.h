#pragma once

// Why: a virtio PCI function on buses of its own and a driver that reaches it as a guest does:
// by configuration space and registers alone (virtio 1.2, section 4.1). No KVM, no vCPU.
//
//     DrivenTransport driven{*loop, guest, std::make_unique<Rng>()};
//     driven.negotiate(features);  driven.enable(queue);  driven.drive();
//     driven.notify(0);            // and turn the loop

#include "base/log.h"
#include "devices/pci/root.h"
#include "devices/virtio/pci_transport.h"
#include "support/driver_queue.h"
#include "support/fake_interrupts.h"

namespace sheaf::test {

// Offsets in the common configuration (virtio 1.2, section 4.1.4.3).
namespace common {
inline constexpr std::uint32_t device_feature_select = 0;
inline constexpr std::uint32_t device_feature = 4;
inline constexpr std::uint32_t driver_feature_select = 8;
inline constexpr std::uint32_t driver_feature = 12;
inline constexpr std::uint32_t config_vector = 16;
inline constexpr std::uint32_t queue_count = 18;
inline constexpr std::uint32_t status = 20;
inline constexpr std::uint32_t generation = 21;
inline constexpr std::uint32_t queue_select = 22;
inline constexpr std::uint32_t queue_size = 24;
inline constexpr std::uint32_t queue_vector = 26;
inline constexpr std::uint32_t queue_enable = 28;
inline constexpr std::uint32_t queue_notify_offset = 30;
inline constexpr std::uint32_t queue_descriptors = 32;
inline constexpr std::uint32_t queue_driver_area = 40;
inline constexpr std::uint32_t queue_device_area = 48;
}  // namespace common

class DrivenTransport {
  public:
    // The loop and the guest's memory outlive this. BARs are placed and decoded.
    DrivenTransport(io::Loop& loop, FakeGuest& guest, std::unique_ptr<virtio::Device> device,
                    FakeDoorbells::Host host = FakeDoorbells::Host::has_room);
    ~DrivenTransport();  // ends the session and waits for it

    virtio::PciTransport& transport() { return *transport_; }
    FakeMsi& msi() { return msi_; }
    FakeDoorbells& doorbells() { return doorbells_; }
    vmm::Bus& memory() { return memory_; }

    // Where the function's configuration space is.
    static Gpa config_at(unsigned offset);

    // Any thread, as a vCPU would.
    template <WireStruct T>
    T config(unsigned offset) const {
        return read<T>(config_at(offset));
    }
    template <WireStruct T>
    void set_config(unsigned offset, T value) const {
        memory_.write(config_at(offset).value(), bytes_of(value));
    }
    template <WireStruct T>
    T get(std::uint32_t offset) const {  // in BAR 0; the common configuration is at its start
        return read<T>(registers_ + offset);
    }
    template <WireStruct T>
    void set(std::uint32_t offset, T value) const {
        memory_.write((registers_ + offset).value(), bytes_of(value));
    }
    template <WireStruct T>
    T read(Gpa address) const {
        T value{};
        memory_.read(address.value(), std::as_writable_bytes(std::span{&value, 1}));
        return value;
    }
    std::uint8_t status() const { return get<std::uint8_t>(common::status); }
    void set_status(unsigned value) const { set(common::status, static_cast<std::uint8_t>(value)); }
    virtio::Features offered() const;
    void accept(virtio::Features features) const;
    // Up to FEATURES_OK; gives the status then.
    std::uint8_t negotiate(virtio::Features features) const;
    void enable(const virtio::QueueSetup& setup, std::uint16_t vector = virtio::no_vector) const;
    // DRIVER_OK; the loop then needs a turn.
    void drive() const { set_status(status() | virtio::status::driver_ok); }
    void reset() const { set_status(0); }
    // As KVM does: by the bound eventfd, or where there is none by the register.
    void notify(std::uint16_t queue) const;

    // Where BAR 0 is from now on, for the accesses above.
    void follow_bar();
    Gpa registers() const { return registers_; }
    // Where the first capability of this kind is, 0 where there is none.
    unsigned capability(std::uint8_t identifier, std::optional<std::uint8_t> structure = {}) const;
    // Opens a vector of the MSI-X table with a message of its own, and enables the function.
    vmm::MsiMessage open_vector(unsigned vector) const;
    void enable_msix() const;

  private:
    io::Loop& loop_;
    FakeMsi msi_;
    FakeDoorbells doorbells_;
    Logger log_{-1, LogLevel::error};
    vmm::Bus ports_;
    vmm::Bus memory_;
    pci::Root root_{memory_};
    virtio::PciTransport* transport_;
    Gpa registers_;
};

}  // namespace sheaf::test
