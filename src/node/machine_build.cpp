#include "devices/pci/pvpanic.h"
#include "devices/virtio/blk.h"
#include "devices/virtio/console.h"
#include "devices/virtio/net.h"
#include "devices/virtio/rng.h"
#include "devices/virtio/vsock.h"
#include "net/tap.h"
#include "node/machine.h"
#include "storage/file_block.h"
#include "vmm/acpi/acpi.h"
#include "vmm/boot/kernel.h"
#include "vmm/generation_id.h"
#include "vmm/layout.h"
#include "vmm/vcpu_setup.h"

namespace sheaf::node {

namespace {

namespace layout = vmm::layout;

constexpr unsigned blk_queue_limit = 8;
constexpr std::uint16_t i8042_first_port = layout::port_i8042_data;

}  // namespace

Result<std::unique_ptr<Machine>> Machine::create(const VmmSpec& spec, io::Loop& loop,
                                                 vmm::EndingSink& sink, const Logger& log) {
    auto kvm = TRY(vmm::Kvm::create(Fd{spec.kvm}));
    TRY(kvm.require_capabilities());
    auto memory = TRY(vmm::GuestMemory::create(spec.memory, vmm::GuestMemory::Backing::anonymous));
    auto vm = TRY(kvm.create_vm());
    auto machine = std::unique_ptr<Machine>{
        new Machine{std::move(kvm), std::move(vm), std::move(memory), loop, sink, log}};

    TRY(machine->add_interrupts());
    TRY(machine->add_legacy_devices(spec));
    TRY(machine->add_pci(spec));
    const auto entry = TRY(machine->load(spec));
    TRY(machine->add_vcpus(spec, entry));
    if (spec.gdb) TRY(machine->add_debugger(*spec.gdb));
    return machine;
}

Machine::Machine(vmm::Kvm kvm, vmm::VmFd vm, vmm::GuestMemory memory, io::Loop& loop,
                 vmm::EndingSink& sink, const Logger& log)
    : loop_(loop),
      sink_(sink),
      log_(log),
      kvm_(std::move(kvm)),
      memory_(std::move(memory)),
      vm_(std::move(vm)),
      sleep_(sink),
      keyboard_controller_(sink) {}

// KVM wants its own pages and the interrupt controller before the first vCPU.
Result<void> Machine::add_interrupts() {
    TRY(vm_.set_tss_address(layout::kvm_tss));
    if (vm_.capability(KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0)
        TRY(vm_.set_identity_map_address(layout::kvm_identity_map));
    unsigned slot = 0;
    for (const auto& region : memory_.regions())
        TRY(vm_.set_memory(slot++, region.start, region.bytes));
    interrupts_ = TRY(vmm::IrqRouter::create(vm_));
    if (interrupts_->kind() == vmm::IrqchipKind::full) {
        log_.info("KVM has no split irqchip; using its own IOAPIC");
        return {};
    }
    ioapic_.emplace(*interrupts_);
    return mmio_.add(layout::ioapic.value(), layout::ioapic_size, *ioapic_);
}

Result<void> Machine::add_legacy_devices(const VmmSpec& spec) {
    console_.emplace(loop_, Fd{spec.console});
    console_faces_.emplace(*console_);
    serial_.emplace(*TRY(interrupts_->line(layout::irq_com1)), console_faces_->serial());
    power_events_.emplace(*TRY(interrupts_->line(layout::irq_acpi_events)));
    const auto below_4g = memory_.regions().front().bytes.size();
    cmos_.emplace(host_clock_, legacy::Cmos::Equipment{.memory_below_4g = below_4g,
                                                       .memory_above_4g = memory_.size() - below_4g,
                                                       .cpus = spec.cpus});

    TRY(ports_.add(layout::port_com1, legacy::Uart16550::port_count, *serial_));
    TRY(ports_.add(i8042_first_port, legacy::I8042::port_count, keyboard_controller_));
    TRY(ports_.add(layout::port_cmos, legacy::Cmos::port_count, *cmos_));
    TRY(ports_.add(layout::port_delay, legacy::Port80::port_count, delay_port_));
    TRY(ports_.add(layout::port_pm_timer, legacy::PmTimer::port_count, timer_));
    TRY(ports_.add(layout::port_acpi_sleep, legacy::AcpiSleep::port_count, sleep_));
    return ports_.add(layout::port_acpi_events, legacy::AcpiEvents::port_count, *power_events_);
}

// There is no firmware, so the BARs are placed here.
Result<void> Machine::add_pci(const VmmSpec& spec) {
    TRY(pci_.attach(ports_, mmio_));
    for (const auto& disk : spec.disks) TRY(add_disk(disk, spec.cpus));
    for (const auto& nic : spec.nics) TRY(add_nic(nic));
    TRY(add_virtio(std::make_unique<virtio::Rng>()));
    TRY(add_virtio(std::make_unique<virtio::Console>(console_faces_->virtio())));
    if (spec.balloon) {
        auto balloon =
            std::make_unique<virtio::Balloon>(loop_, memory_, virtio::Balloon::Options{});
        balloon_ = balloon.get();
        TRY(add_virtio(std::move(balloon)));
    }
    if (spec.vsock) TRY(add_vsock(*spec.vsock));
    TRY(pci_.add(std::make_unique<pci::Pvpanic>(mmio_, sink_)));
    return pci_.assign_bars();
}

Result<void> Machine::add_disk(const DiskSpec& spec, unsigned cpus) {
    auto disk = Disk{};
    if (spec.volume) {
        disk.volume = TRY(VolumeDisk::open(loop_, *spec.volume));
    } else {
        disk.file = TRY_WITHIN(storage::FileBlock::create(loop_, Fd{spec.descriptor}), "disk {}",
                               spec.serial);
    }
    auto options = virtio::Blk::Options{};
    options.queue_count = static_cast<std::uint16_t>(std::min(cpus, blk_queue_limit));
    options.serial = spec.serial;
    auto& block = disk.volume ? disk.volume->block() : *disk.file;
    auto device = std::make_unique<virtio::Blk>(block, options);
    disk.device = device.get();
    if (disk.volume) disk.volume->on_resize([blk = disk.device] { blk->resized(); });
    disks_.push_back(std::move(disk));
    return add_virtio(std::move(device));
}

Result<void> Machine::add_nic(const NicSpec& spec) {
    auto queues = std::vector<Fd>{};
    for (const int descriptor : spec.descriptors) queues.emplace_back(descriptor);
    auto tap = TRY(net::TapPort::create(loop_, std::move(queues)));
    auto options = virtio::Net::Options{};
    options.mac = TRY(net::parse_mac_address(spec.mac));
    options.mtu = spec.mtu;
    auto device = std::make_unique<virtio::Net>(*tap, options);
    taps_.push_back(std::move(tap));
    return add_virtio(std::move(device));
}

Result<void> Machine::add_vsock(const VsockSpec& spec) {
    vsock_dial_.emplace(loop_, Fd{spec.dial});
    return add_virtio(std::make_unique<virtio::Vsock>(loop_, Fd{spec.listener}, *vsock_dial_,
                                                      virtio::Vsock::Options{.cid = spec.cid}));
}

Result<void> Machine::add_virtio(std::unique_ptr<virtio::Device> device) {
    const auto around = virtio::Surroundings{.loop = loop_,
                                             .guest_memory = memory_,
                                             .memory_bus = mmio_,
                                             .interrupts = *interrupts_,
                                             .doorbells = doorbells_,
                                             .log = log_};
    auto transport = std::make_unique<virtio::PciTransport>(around, std::move(device));
    transports_.push_back(transport.get());
    return pci_.add(std::move(transport));
}

Result<vmm::boot::Entry> Machine::load(const VmmSpec& spec) {
    const auto image = Fd{spec.kernel};
    const auto initrd = Fd{spec.initrd.value_or(-1)};
    auto kernel = vmm::boot::Kernel{.image = image,
                                    .initrd = spec.initrd ? &initrd : nullptr,
                                    .command_line = spec.command_line,
                                    .rsdp = {}};
    TRY(vmm::put_generation_id(memory_, TRY(vmm::make_generation_id())));
    kernel.rsdp = TRY(vmm::acpi::build_acpi(memory_, {.cpus = spec.cpus}));
    auto entry = TRY_WITHIN(vmm::boot::load_kernel(memory_, kernel), "{}", spec.kernel_name);
    if (spec.firmware && entry.protocol != vmm::boot::Protocol::pvh)
        return fail(Kind::unsupported, "{}: is no firmware: it has no PVH entry note",
                    spec.kernel_name);
    return entry;
}

Result<void> Machine::add_vcpus(const VmmSpec& spec, const vmm::boot::Entry& entry) {
    auto fds = TRY(vmm::make_vcpus(kvm_, vm_, memory_, spec.cpus, entry));
    TRY(vmm::install_kick_signal());
    for (auto& fd : fds) {
        const auto id = static_cast<unsigned>(vcpus_.size());
        vcpus_.push_back(
            std::make_unique<vmm::Vcpu>(id, std::move(fd), vmm::Buses{ports_, mmio_}, sink_));
    }
    return {};
}

Result<void> Machine::add_debugger(const GdbSpec& spec) {
    auto listener = Fd{spec.listener};
    processors_ = TRY(vmm::debug::VcpuProcessors::create(vm_, vcpus_, memory_, loop_, log_));
    const auto around = vmm::debug::Session::Surroundings{
        .loop = loop_, .processors = *processors_, .sink = sink_, .log = log_};
    debugger_.emplace(around, std::move(listener));
    if (spec.wait) beginning_ = vmm::debug::Beginning::wait;
    return {};
}

}  // namespace sheaf::node
