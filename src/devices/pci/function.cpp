#include "devices/pci/function.h"

#include "vmm/layout.h"

namespace sheaf::pci {

namespace {

namespace layout = vmm::layout;

constexpr unsigned bar_offset(unsigned index) {
    return config::bars + 4 * index;
}

}  // namespace

Function::Function(const Identity& identity, vmm::Bus& memory)
    : config_(identity), memory_(memory) {}

Function::~Function() {
    for (const auto& bar : bars_)
        if (bar.mapped) memory_.remove(bar.mapped->value(), *bar.handler);
}

void Function::add_bar(std::uint32_t size, vmm::BusHandler& handler) {
    const auto index = static_cast<unsigned>(bars_.size());
    bars_.push_back({size, &handler});
    // The bits below the size read as zero, which is how a guest learns it (PCI 3.0, 6.2.5.1).
    config_.set_writable(bar_offset(index), ~(size - 1));
}

void Function::read_config(unsigned offset, std::span<std::byte> data) {
    config_.read(offset, data);
}

void Function::write_config(unsigned offset, std::span<const std::byte> data) {
    config_.write(offset, data);
    for (unsigned index = 0; index < bars_.size(); ++index) follow(index);
}

std::optional<Gpa> Function::wanted(unsigned index) const {
    if ((config_.get<std::uint16_t>(config::command) & command_memory) == 0) return std::nullopt;
    const auto address = Gpa{config_.get<std::uint32_t>(bar_offset(index))};
    const auto window_end = layout::mmio_window + layout::mmio_window_size;
    // While a guest sizes a BAR it holds all ones: an address outside of the window is nowhere.
    if (address < layout::mmio_window || address >= window_end) return std::nullopt;
    if (window_end - address < bars_[index].size) return std::nullopt;
    return address;
}

void Function::follow(unsigned index) {
    auto& bar = bars_[index];
    auto target = wanted(index);
    if (target == bar.mapped) return;
    const auto before = bar.mapped;
    if (before) memory_.remove(before->value(), *bar.handler);
    if (target && !memory_.add(target->value(), bar.size, *bar.handler)) {
        // Somebody else is there. The BAR goes back to where it was, which is free.
        target = before;
        config_.set(bar_offset(index), static_cast<std::uint32_t>(before.value_or(Gpa{}).value()));
        if (before) static_cast<void>(memory_.add(before->value(), bar.size, *bar.handler));
    }
    bar.mapped = target;
    if (target != before) bar_moved(index, target);
}

Result<Gpa> Function::assign_bars(Gpa next, Gpa limit) {
    for (unsigned index = 0; index < bars_.size(); ++index) {
        const auto size = std::uint64_t{bars_[index].size};
        const auto address = Gpa{align_up(next.value(), size)};
        if (address > limit || limit - address < size)
            return fail(Kind::exhausted, "no room for PCI memory below {:#x}", limit.value());
        config_.set(bar_offset(index), static_cast<std::uint32_t>(address.value()));
        next = address + size;
    }
    const auto command = static_cast<std::uint16_t>(command_memory | command_bus_master);
    config_.set(config::command, command);
    for (unsigned index = 0; index < bars_.size(); ++index) follow(index);
    return next;
}

}  // namespace sheaf::pci
