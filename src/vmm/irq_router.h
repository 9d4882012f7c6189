#pragma once

// Why: KVM's side of interrupts. Each source is an eventfd that KVM turns into an interrupt
// (irqfd) by its routing table: the IOAPIC's pins come first, message-signalled ones follow.

#include <memory>
#include <mutex>
#include <optional>

#include "vmm/interrupts.h"
#include "vmm/kvm.h"

namespace sheaf::vmm {

// Where the IOAPIC lives: in user space (split) or, on hosts without KVM_CAP_SPLIT_IRQCHIP, in KVM.
enum class IrqchipKind { split, full };

// All members: any thread.
class IrqRouter final : public MsiController, public PinRouter {
  public:
    // Sets the interrupt controller of a VM that has no vCPU yet up, split where KVM can. The VM
    // outlives the router.
    static Result<std::unique_ptr<IrqRouter>> create(const VmFd& vm);

    IrqchipKind kind() const { return kind_; }

    // The line into `pin` of the IOAPIC; lives as long as the router. One user a pin.
    Result<InterruptLine*> line(unsigned pin);

    Result<void> set_pin(unsigned pin, std::optional<MsiMessage> message) override;  // split only

    Result<Route> allocate() override;
    void release(Route route) override;
    Result<void> set(Route route, const MsiMessage& message) override;
    void trigger(Route route) override;

  private:
    class Source final : public InterruptLine {
      public:
        explicit Source(Fd event) : event_(std::move(event)) {}
        void pulse() override;
        const Fd& event() const { return event_; }

      private:
        Fd event_;
    };

    IrqRouter(const VmFd& vm, IrqchipKind kind, std::size_t limit);
    Result<InterruptLine*> open(unsigned gsi);
    Result<void> route(unsigned gsi, std::optional<MsiMessage> message);

    const VmFd& vm_;
    const IrqchipKind kind_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Source>> sources_;     // by global system interrupt
    std::vector<std::optional<MsiMessage>> messages_;  // by global system interrupt
};

}  // namespace sheaf::vmm
