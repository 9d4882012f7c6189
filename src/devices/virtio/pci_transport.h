#pragma once

// Why: everything a virtio device has to do that is not its own business: being a PCI function,
// negotiation, queues, doorbells, interrupts, reset (virtio 1.2, sections 2 and 4.1). Modern only.
//
// The driver's register accesses come from vCPU threads and are guarded by one mutex; queues and
// the device live on the loop. DRIVER_OK posts the start of a session to the loop, a reset posts
// its end, and the status reads non-zero until everything in flight has come back.

#include <atomic>
#include <mutex>

#include "base/log.h"
#include "devices/pci/function.h"
#include "devices/pci/msix.h"
#include "devices/virtio/pci_layout.h"
#include "devices/virtio/registers.h"
#include "io/task_group.h"
#include "vmm/doorbell.h"

namespace sheaf::virtio {

// What a transport works with; all of it outlives the transport.
struct Surroundings {
    io::Loop& loop;
    const vmm::GuestMemory& guest_memory;
    vmm::Bus& memory_bus;
    vmm::MsiController& interrupts;
    vmm::Doorbells& doorbells;
    const Logger& log;
};

class PciTransport final : public pci::Function, QueueOwner, ConfigNotifier {
  public:
    PciTransport(const Surroundings& surroundings, std::unique_ptr<Device> device);
    ~PciTransport() override;

    Device& device() { return *device_; }

    // Ends what is served and waits for all I/O in flight; the guest no longer runs. Loop thread.
    io::Task<void> shutdown();

    // How often the driver broke the rules of a queue or the device failed. Any thread.
    std::uint64_t faults() const { return faults_.load(std::memory_order_relaxed); }

    void read_config(unsigned offset, std::span<std::byte> data) override;
    void write_config(unsigned offset, std::span<const std::byte> data) override;

  private:
    // BAR 0.
    class RegisterBar final : public vmm::BusHandler {
      public:
        explicit RegisterBar(PciTransport& transport) : transport_(transport) {}
        std::string_view name() const override { return "virtio"; }
        void read(std::uint64_t offset, std::span<std::byte> data) override;
        void write(std::uint64_t offset, std::span<const std::byte> data) override;

      private:
        PciTransport& transport_;
    };

    // One enabled queue while the device is served.
    struct Served {
        std::unique_ptr<Queue> queue;
        Fd doorbell;
    };

    // vCPU threads.
    void write_common(std::uint64_t offset, std::span<const std::byte> data);
    void read_device(std::uint64_t offset, std::span<std::byte> data);
    void write_device(std::uint64_t offset, std::span<const std::byte> data);
    void ring(std::uint64_t offset);
    void begin_reset();
    void forget();  // the last step of a reset; on either thread, under mutex_
    void bar_moved(unsigned index, std::optional<Gpa> address) override;
    bool window_ready(std::span<const std::byte> data) const;
    std::uint64_t window_offset() const;

    // Loop thread.
    io::Task<void> live();
    Result<void> open_session();
    io::Task<void> serve(Queue& queue);
    io::Task<void> watch(Served& served);
    void stop_queues();
    void close_session();
    void interrupt(std::uint16_t queue_index) override;
    void broken(std::uint16_t queue_index, const Error& why) override;
    void config_changed() override;
    void mark_broken(const Error& why);

    // Doorbells of the session at the BAR's present place. Under mutex_.
    Result<void> attach_doorbells();
    void detach_doorbells();
    Gpa doorbell_address(const Queue& queue) const;

    const Surroundings around_;
    const std::unique_ptr<Device> device_;
    RegisterBar register_bar_{*this};
    pci::Msix msix_;
    pci_layout::Places places_;

    std::mutex mutex_;
    Registers registers_;              // under mutex_, as are the next four
    std::optional<Gpa> registers_at_;  // where BAR 0 is mapped
    bool attached_ = false;            // doorbells_ are known to KVM at registers_at_
    bool in_session_ = false;          // from DRIVER_OK until the loop has closed the session
    bool resetting_ = false;           // the driver asked for a reset that is under way
    std::vector<Served> served_;       // changed by the loop under mutex_
    std::atomic<std::uint8_t> isr_ = 0;

    io::TaskGroup group_;
    std::atomic<std::uint64_t> faults_ = 0;
};

}  // namespace sheaf::virtio
