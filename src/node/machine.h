#pragma once

// Why: a virtual machine as one object: memory, buses, interrupt controllers, devices and vCPUs,
// put together by one recipe (machine_build.cpp) that reads from top to bottom.

#include <functional>
#include <latch>
#include <optional>

#include "base/log.h"
#include "devices/console/channel.h"
#include "devices/console/shared.h"
#include "devices/legacy/acpi_power.h"
#include "devices/legacy/cmos.h"
#include "devices/legacy/i8042.h"
#include "devices/legacy/pm_timer.h"
#include "devices/legacy/port80.h"
#include "devices/legacy/uart16550.h"
#include "devices/pci/root.h"
#include "devices/virtio/blk.h"
#include "devices/virtio/pci_transport.h"
#include "net/port.h"
#include "node/balloon_report.h"
#include "node/vmm_spec.h"
#include "node/volume_disk.h"
#include "node/vsock_dial.h"
#include "storage/file_block.h"
#include "vmm/boot/entry.h"
#include "vmm/debug/server.h"
#include "vmm/debug/vcpu_processors.h"
#include "vmm/ioapic.h"
#include "vmm/irq_router.h"
#include "vmm/vcpu.h"
#include "vmm/vm_doorbells.h"

namespace sheaf::node {

class Machine {
  public:
    // Builds the machine that the specification describes, ready to start, and takes over the
    // descriptors in it. The sink hears from vCPU threads how the machine ended; all references
    // outlive it. Errors: invalid, corrupt and unsupported for what the user gave, unavailable for
    // the host.
    static Result<std::unique_ptr<Machine>> create(const VmmSpec& spec, io::Loop& loop,
                                                   vmm::EndingSink& sink, const Logger& log);

    void start();
    // Asks the guest to power off. Any thread.
    void press_power_button() { power_events_->press_power_button(); }
    // Holds all vCPUs outside of the guest, and says on the loop's thread when they are, unless
    // resume() came first. Devices go on with what they have. Fails with unsupported where a
    // debugger has the vCPUs. Loop thread.
    Result<void> pause(std::move_only_function<void()> paused);
    void resume();
    // Tells the guest about disks whose size has changed. Loop thread.
    void refresh_disks();
    // What became of the guest's memory; none without a balloon. Any thread.
    std::optional<BalloonReport> balloon_report() const;
    // No vCPU enters the guest any more. Any thread, also a vCPU's.
    void request_stop();
    // After request_stop(): waits for the vCPUs, the I/O in flight and the console's output, and
    // closes the volumes. Loop thread, once.
    io::Task<void> drain();

  private:
    Machine(vmm::Kvm kvm, vmm::VmFd vm, vmm::GuestMemory memory, io::Loop& loop,
            vmm::EndingSink& sink, const Logger& log);

    struct Disk {
        std::unique_ptr<storage::FileBlock> file;  // or
        std::unique_ptr<VolumeDisk> volume;
        virtio::Blk* device;  // owned by pci_
    };

    // The steps of the recipe, in order.
    Result<void> add_interrupts();
    Result<void> add_legacy_devices(const VmmSpec& spec);
    Result<void> add_pci(const VmmSpec& spec);
    Result<void> add_disk(const DiskSpec& spec, unsigned cpus);
    io::Task<void> close_volumes();
    void vcpu_held(std::uint64_t pause);
    Result<void> add_nic(const NicSpec& spec);
    Result<void> add_vsock(const VsockSpec& spec);
    Result<void> add_virtio(std::unique_ptr<virtio::Device> device);
    Result<vmm::boot::Entry> load(const VmmSpec& spec);
    Result<void> add_vcpus(const VmmSpec& spec, const vmm::boot::Entry& entry);
    Result<void> add_debugger(const GdbSpec& spec);

    // Destroyed last to first: vCPUs before what they touch, devices before their back ends.
    io::Loop& loop_;
    vmm::EndingSink& sink_;
    const Logger& log_;
    vmm::Kvm kvm_;
    vmm::GuestMemory memory_;
    vmm::VmFd vm_;
    vmm::VmDoorbells doorbells_{vm_};
    std::unique_ptr<vmm::IrqRouter> interrupts_;
    vmm::Bus ports_;
    vmm::Bus mmio_;
    std::optional<vmm::Ioapic> ioapic_;
    std::optional<console::Channel> console_;
    std::optional<console::Shared> console_faces_;
    io::TaskGroup console_tasks_;
    legacy::AcpiSleep sleep_;
    std::optional<legacy::AcpiEvents> power_events_;
    legacy::I8042 keyboard_controller_;
    legacy::Port80 delay_port_;
    legacy::PmTimer timer_;
    HostClock host_clock_;
    std::optional<legacy::Cmos> cmos_;
    std::optional<legacy::Uart16550> serial_;
    std::vector<Disk> disks_;
    std::vector<std::unique_ptr<net::Port>> taps_;
    std::optional<VsockDial> vsock_dial_;
    pci::Root pci_{mmio_};
    std::vector<virtio::PciTransport*> transports_;  // owned by pci_
    const virtio::Balloon* balloon_ = nullptr;       // owned by pci_
    std::latch gate_{1};
    std::unique_ptr<vmm::debug::VcpuProcessors> processors_;  // where there is a debugger
    std::optional<vmm::debug::Server> debugger_;
    vmm::debug::Beginning beginning_ = vmm::debug::Beginning::run;
    io::TaskGroup debugger_tasks_;
    // Those that a pause still waits for; what comes of an older one counts for nothing.
    struct Pause {
        std::uint64_t number = 0;
        std::size_t missing = 0;
        std::move_only_function<void()> paused;
    };
    Pause pause_;
    std::vector<std::unique_ptr<vmm::Vcpu>> vcpus_;
};

}  // namespace sheaf::node
