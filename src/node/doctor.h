#pragma once

// Why: before a virtual machine fails, an operator can ask what this host lacks, what that costs
// and what to do about it. Everything is found by trying it, not by guessing from names, and
// nothing is left behind.

#include <string>
#include <vector>

#include <boost/describe.hpp>

namespace sheaf::node {

enum class Health { ok, degraded, missing };
BOOST_DESCRIBE_ENUM(Health, ok, degraded, missing)

// How this host's KVM runs a guest's kernel.
enum class Ring0 {
    unavailable,  // not at all
    emulated,     // instruction by instruction, in software
    hardware,     // by the processor
};
BOOST_DESCRIBE_ENUM(Ring0, unavailable, emulated, hardware)

struct Finding {
    std::string topic;  // one or two words, unique
    Health health = Health::ok;
    std::string detail;  // what was found and, unless it is ok, what that costs
    std::string remedy;  // empty where there is nothing to do
};
BOOST_DESCRIBE_STRUCT(Finding, (), (topic, health, detail, remedy))

struct KvmHealth {
    Ring0 ring0 = Ring0::unavailable;
    std::uint64_t instructions_per_second = 0;  // simple ones in ring 0; 0 where not measured
    std::vector<std::string> missing_required;  // KVM_CAP_ names
    std::vector<std::string> missing_optional;
};
BOOST_DESCRIBE_STRUCT(KvmHealth, (),
                      (ring0, instructions_per_second, missing_required, missing_optional))

struct DoctorReport {
    std::string version;  // Sheaf's
    bool can_run = false;
    KvmHealth kvm;
    std::vector<Finding> findings;
};
BOOST_DESCRIBE_STRUCT(DoctorReport, (), (version, can_run, kvm, findings))

// Examines this host; `directory` is where disks would be. Takes up to half a second. Not from a
// loop's thread.
DoctorReport examine(const std::string& directory);

// One line a finding, with its remedy under it, then the verdict.
std::string as_text(const DoctorReport& report);

}  // namespace sheaf::node
