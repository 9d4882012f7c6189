#pragma once

// Why: the parts of doctor.h's examination, one function for each part of the host. Each adds its
// findings in the order they are printed and never fails: a probe that cannot be done says so.

#include "node/doctor.h"

namespace sheaf::node {

using Findings = std::vector<Finding>;

void examine_kernel(Findings& findings);
KvmHealth examine_kvm(Findings& findings);
void examine_io_uring(Findings& findings);
void examine_cgroups(Findings& findings);
void examine_memory(Findings& findings);   // size, huge pages
void examine_network(Findings& findings);  // tap, bridge, VLAN, nftables
void examine_disk(Findings& findings, const std::string& directory);
void examine_limits(Findings& findings);

}  // namespace sheaf::node
