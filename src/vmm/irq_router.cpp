#include "vmm/irq_router.h"

#include <sys/eventfd.h>

#include <memory>

#include "vmm/layout.h"

namespace sheaf::vmm {

namespace {

// Enough for 32 PCI functions of 30 vectors each; KVM itself allows 4096 routes.
constexpr std::size_t source_limit = 1024;

kvm_irq_routing_entry pin_entry(unsigned pin) {
    auto entry = kvm_irq_routing_entry{};
    entry.gsi = pin;
    entry.type = KVM_IRQ_ROUTING_IRQCHIP;
    entry.u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
    entry.u.irqchip.pin = pin;
    return entry;
}

kvm_irq_routing_entry msi_entry(unsigned gsi, const MsiMessage& message) {
    auto entry = kvm_irq_routing_entry{};
    entry.gsi = gsi;
    entry.type = KVM_IRQ_ROUTING_MSI;
    entry.u.msi.address_lo = static_cast<std::uint32_t>(message.address);
    entry.u.msi.address_hi = static_cast<std::uint32_t>(message.address >> 32);
    entry.u.msi.data = message.data;
    return entry;
}

}  // namespace

void IrqRouter::Source::pulse() {
    ::eventfd_write(event_.get(), 1);
}

IrqRouter::IrqRouter(const VmFd& vm, IrqchipKind kind, std::size_t limit)
    : vm_(vm), kind_(kind), sources_(limit), messages_(limit) {}

Result<std::unique_ptr<IrqRouter>> IrqRouter::create(const VmFd& vm) {
    auto kind = IrqchipKind::full;
    if (vm.capability(KVM_CAP_SPLIT_IRQCHIP) > 0) {
        TRY_WITHIN(vm.enable(KVM_CAP_SPLIT_IRQCHIP, layout::ioapic_pins), "split irqchip");
        kind = IrqchipKind::split;
    } else {
        TRY(vm.create_irqchip());
    }
    return std::unique_ptr<IrqRouter>{new IrqRouter{vm, kind, source_limit}};
}

Result<InterruptLine*> IrqRouter::open(unsigned gsi) {
    auto event = TRY(checked_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "interrupt {}", gsi));
    TRY(vm_.attach_irqfd(gsi, event));
    sources_[gsi] = std::make_unique<Source>(std::move(event));
    return sources_[gsi].get();
}

Result<InterruptLine*> IrqRouter::line(unsigned pin) {
    if (pin >= layout::ioapic_pins) return fail(Kind::invalid, "IOAPIC has no pin {}", pin);
    const auto lock = std::lock_guard{mutex_};
    if (sources_[pin]) return fail(Kind::exists, "IOAPIC pin {} is in use", pin);
    return open(pin);
}

Result<void> IrqRouter::set_pin(unsigned pin, std::optional<MsiMessage> message) {
    return route(pin, message);
}

Result<MsiController::Route> IrqRouter::allocate() {
    const auto lock = std::lock_guard{mutex_};
    for (auto gsi = layout::ioapic_pins; gsi < sources_.size(); ++gsi) {
        if (sources_[gsi]) continue;
        TRY(open(gsi));
        return gsi;
    }
    return fail(Kind::exhausted, "all {} interrupt routes are in use", sources_.size());
}

void IrqRouter::release(Route route) {
    const auto lock = std::lock_guard{mutex_};
    if (!sources_.at(route)) return;
    // Detaching fails only for a binding that does not exist, and this one does.
    static_cast<void>(vm_.detach_irqfd(route, sources_[route]->event()));
    sources_[route].reset();
    messages_[route].reset();
}

Result<void> IrqRouter::set(Route gsi, const MsiMessage& message) {
    return route(gsi, message);
}

Result<void> IrqRouter::route(unsigned gsi, std::optional<MsiMessage> message) {
    const auto lock = std::lock_guard{mutex_};
    if (messages_.at(gsi) == message) return {};
    const auto before = std::exchange(messages_[gsi], message);
    auto entries = std::vector<kvm_irq_routing_entry>{};
    if (kind_ == IrqchipKind::full)
        for (unsigned pin = 0; pin < layout::ioapic_pins; ++pin) entries.push_back(pin_entry(pin));
    for (unsigned i = 0; i < messages_.size(); ++i)
        if (messages_[i]) entries.push_back(msi_entry(i, *messages_[i]));
    auto outcome = vm_.set_routes(entries);
    if (!outcome) messages_[gsi] = before;
    return outcome;
}

void IrqRouter::trigger(Route route) {
    // A source lives until release(), which the device calls when it no longer triggers.
    sources_.at(route)->pulse();
}

}  // namespace sheaf::vmm
