#pragma once

// Why: a virtual machine as one object: memory, buses, interrupt controllers, devices and vCPUs,
// made by one recipe (machine_build.cpp) that reads from top to bottom.

#include <latch>

#include "base/log.h"
#include "base/metrics.h"
#include "devices/legacy/acpi_power.h"
#include "devices/legacy/i8042.h"
#include "devices/legacy/port80.h"
#include "devices/legacy/uart16550.h"
#include "devices/pci/root.h"
#include "node/vmm_spec.h"
#include "vmm/ioapic.h"
#include "vmm/irq_router.h"
#include "vmm/vcpu.h"

namespace sheaf::node {

class Machine {
  public:
    // Builds the machine that the specification describes, ready to start. Takes over the
    // descriptors in it. The sink hears from vCPU threads how the machine ended; all references
    // outlive it. Errors: invalid and corrupt for what the user gave, unavailable for the host.
    static Result<std::unique_ptr<Machine>> create(const VmmSpec& spec, io::Loop& loop,
                                                   vmm::EndingSink& sink, Logger& log);
    ~Machine();

    void start();
    // Asks the guest to power off. Any thread.
    void press_power_button();
    // No vCPU enters the guest any more. Any thread, also a vCPU's.
    void request_stop();
    // Waits for the vCPUs after request_stop(), then for the devices' I/O. Loop thread.
    io::Task<void> drain();

  private:
    friend class MachineBuilder;
    Machine() = default;
};

}  // namespace sheaf::node
