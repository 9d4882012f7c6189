#pragma once

// Why: what a keeper tells the VMM it starts (docs/formats/vmm-control.md). Everything is already
// open: a resource is a descriptor number that the VMM inherits.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>

namespace sheaf::node {

struct DiskSpec {
    int descriptor = -1;
    bool read_only = false;
    std::string serial;  // at most 20 bytes reach the guest
};
BOOST_DESCRIBE_STRUCT(DiskSpec, (), (descriptor, read_only, serial))

struct NicSpec {
    std::vector<int> descriptors;  // one a queue pair of the tap
    std::string mac;               // aa:bb:cc:dd:ee:ff
    std::optional<std::uint16_t> mtu;
};
BOOST_DESCRIBE_STRUCT(NicSpec, (), (descriptors, mac, mtu))

struct VmmSpec {
    int version = 1;
    int kvm = -1;
    unsigned cpus = 1;
    std::uint64_t memory = 0;  // bytes
    int kernel = -1;           // or firmware
    std::string kernel_name;   // for messages: "kernel vmlinuz"
    bool firmware = false;     // whether it is firmware, which finds its own way to a disk
    std::optional<int> initrd;
    std::string initrd_name;
    std::string command_line;
    int console = -1;
    std::vector<DiskSpec> disks;
    std::vector<NicSpec> nics;
    bool balloon = false;
};
BOOST_DESCRIBE_STRUCT(VmmSpec, (),
                      (version, kvm, cpus, memory, kernel, kernel_name, firmware, initrd,
                       initrd_name, command_line, console, disks, nics, balloon))

}  // namespace sheaf::node
