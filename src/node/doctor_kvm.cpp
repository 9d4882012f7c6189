#include <fcntl.h>

#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "node/doctor_probes.h"
#include "node/doctor_ring0.h"

namespace sheaf::node {

namespace {

// Software KVMs were seen at 4 million a second, a KVM in an emulated processor at 190 million.
constexpr std::uint64_t least_in_hardware = 30'000'000;

struct OptionalCapability {
    unsigned number;
    std::string_view name;
    std::string_view cost;
    std::string_view remedy = "use a newer host kernel (5.17 or later)";
};
constexpr auto optional_capabilities = std::to_array<OptionalCapability>({
    {KVM_CAP_SPLIT_IRQCHIP, "SPLIT_IRQCHIP",
     "the I/O APIC stays in KVM, beside a PIC that nobody uses"},
    {KVM_CAP_IOEVENTFD_ANY_LENGTH, "IOEVENTFD_ANY_LENGTH",
     "a doorbell must be matched by its length, which is slower"},
    {KVM_CAP_TSC_DEADLINE_TIMER, "TSC_DEADLINE_TIMER",
     "guests calibrate their timers for about 100 ms at boot"},
    {KVM_CAP_X2APIC_API, "X2APIC_API", "a machine has at most 254 vCPUs"},
    {KVM_CAP_KVMCLOCK_CTRL, "KVMCLOCK_CTRL",
     "a guest may report a soft lockup after it was paused"},
    {KVM_CAP_XSAVE2, "XSAVE2", "guests cannot use AMX"},
    {KVM_CAP_SREGS2, "SREGS2", "state of 32-bit PAE guests is not saved exactly"},
    {KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, "MANUAL_DIRTY_LOG_PROTECT2",
     "snapshots and migration slow the guest down more"},
    {KVM_CAP_TSC_CONTROL, "TSC_CONTROL",
     "a migrated guest needs a host with the same clock frequency",
     "use a host whose processor scales its TSC for guests"},
});

std::string join(const std::vector<std::string>& words) {
    return fmt::format("{}", fmt::join(words, " "));
}

Result<vmm::Kvm> open_kvm() {
    return vmm::Kvm::create(
        TRY(checked_fd(::open("/dev/kvm", O_RDWR | O_CLOEXEC), "opening /dev/kvm")));
}

Finding cannot_open(const Error& error) {
    auto finding = Finding{.topic = "kvm", .health = Health::missing, .detail = error.text()};
    if (error.kind() == Kind::denied)
        finding.remedy = "run as root, or join the group of /dev/kvm: usermod -aG kvm $USER";
    else
        finding.remedy =
            "turn on VT-x or AMD-V in the firmware (in a VM: nested virtualisation), then modprobe "
            "kvm_intel or kvm_amd";
    return finding;
}

void examine_required(const vmm::Kvm& kvm, KvmHealth& health, Findings& findings) {
    for (const auto& [number, name] : vmm::required_capabilities())
        if (kvm.capability(number) == 0) health.missing_required.emplace_back(name);
    auto finding = Finding{.topic = "kvm interface",
                           .detail = fmt::format("version 12, all {} required capabilities",
                                                 vmm::required_capabilities().size())};
    if (!health.missing_required.empty()) {
        finding.health = Health::missing;
        finding.detail = "lacks " + join(health.missing_required);
        finding.remedy = "use a newer host kernel (5.10 or later)";
    }
    findings.push_back(std::move(finding));
}

void examine_optional(const vmm::Kvm& kvm, KvmHealth& health, Findings& findings) {
    for (const auto& [number, name, cost, remedy] : optional_capabilities) {
        if (kvm.capability(number) != 0) continue;
        health.missing_optional.emplace_back(name);
        findings.push_back({.topic = fmt::format("kvm {}", name),
                            .health = Health::degraded,
                            .detail = fmt::format("absent: {}", cost),
                            .remedy = std::string{remedy}});
    }
    if (health.missing_optional.empty())
        findings.push_back(
            {.topic = "kvm options",
             .detail = fmt::format("all {} optional capabilities", optional_capabilities.size()),
             .remedy = {}});
}

void examine_ring0(const vmm::Kvm& kvm, KvmHealth& health, Findings& findings) {
    auto finding = Finding{.topic = "kvm ring 0"};
    if (const auto rate = measure_ring0(kvm); !rate) {
        finding.health = Health::missing;
        finding.detail = "a small guest does not run: " + rate.error().text();
        finding.remedy = "see the kernel's log (dmesg) for what KVM says";
    } else {
        const bool hardware = *rate >= least_in_hardware;
        health.instructions_per_second = *rate;
        health.ring0 = hardware ? Ring0::hardware : Ring0::emulated;
        finding.detail = fmt::format("{}, {:.1f} million instructions/s",
                                     hardware ? "runs in hardware" : "is emulated in software",
                                     static_cast<double>(*rate) / 1e6);
        if (!hardware) {
            finding.health = Health::degraded;
            finding.detail += ": stock kernels do not boot here";
            finding.remedy =
                "use a host with VT-x or AMD-V; scripts/quickstart and tests/lab/run bring a "
                "nested "
                "machine";
        }
    }
    findings.push_back(std::move(finding));
}

}  // namespace

KvmHealth examine_kvm(Findings& findings) {
    auto health = KvmHealth{};
    const auto kvm = open_kvm();
    if (!kvm) {
        findings.push_back(cannot_open(kvm.error()));
        return health;
    }
    examine_required(*kvm, health, findings);
    if (health.missing_required.empty()) examine_ring0(*kvm, health, findings);
    examine_optional(*kvm, health, findings);
    return health;
}

}  // namespace sheaf::node
