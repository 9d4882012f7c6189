#include "node/doctor.h"

#include <algorithm>

#include <fmt/format.h>

#include "node/doctor_probes.h"

namespace sheaf::node {

namespace {

std::string_view word(Health health) {
    return boost::describe::enum_to_string(health, "");
}

std::string verdict(const DoctorReport& report) {
    if (!report.can_run) return "This host cannot run virtual machines.";
    if (report.kvm.ring0 == Ring0::emulated)
        return "This host runs small guests made for it; stock kernels need a KVM in hardware.";
    return "This host can run virtual machines.";
}

}  // namespace

DoctorReport examine(const std::string& directory) {
    auto report = DoctorReport{.version = SHEAF_VERSION};
    examine_kernel(report.findings);
    report.kvm = examine_kvm(report.findings);
    examine_io_uring(report.findings);
    examine_cgroups(report.findings);
    examine_memory(report.findings);
    examine_network(report.findings);
    examine_disk(report.findings, directory);
    examine_limits(report.findings);
    report.can_run = report.kvm.ring0 != Ring0::unavailable && report.kvm.missing_required.empty();
    return report;
}

std::string as_text(const DoctorReport& report) {
    std::size_t width = 0;
    for (const auto& finding : report.findings) width = std::max(width, finding.topic.size());
    auto text = std::string{};
    for (const auto& finding : report.findings) {
        text += fmt::format("{:<9} {:<{}}  {}\n", word(finding.health), finding.topic, width,
                            finding.detail);
        if (!finding.remedy.empty())
            text += fmt::format("{:>{}}{}\n", "> ", width + 14, finding.remedy);
    }
    return text + "\n" + verdict(report) + "\n";
}

}  // namespace sheaf::node
