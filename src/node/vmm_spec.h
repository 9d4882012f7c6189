#pragma once

// Why: what a keeper tells the VMM it starts (docs/formats/vmm-control.md). Everything is already
// open: a resource is a descriptor number that the VMM inherits.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>

namespace sheaf::node {

struct LayerSpec {
    std::string id;  // 32 hexadecimal digits
    int map = -1;
    int data = -1;
};
BOOST_DESCRIBE_STRUCT(LayerSpec, (), (id, map, data))

// A volume of Sheaf's own, which the VMM runs the engine of.
struct VolumeSpec {
    std::string name;          // for messages
    std::vector<int> journal;  // both copies
    int intent = -1;
    std::vector<LayerSpec> layers;
    int lock = -1;      // held open, so that the lock ends with the last process that has it
    int requests = -1;  // where the VMM asks for layers
    int control = -1;   // the socket on which others ask for what the engine alone can do
    std::uint64_t keep_free = 0;  // bytes that growth leaves free in the file system
    std::string boot;             // of the host, 32 hexadecimal digits
};
BOOST_DESCRIBE_STRUCT(VolumeSpec, (),
                      (name, journal, intent, layers, lock, requests, control, keep_free, boot))

struct DiskSpec {
    int descriptor = -1;  // or a volume
    bool read_only = false;
    std::string serial;  // at most 20 bytes reach the guest
    std::optional<VolumeSpec> volume;
};
BOOST_DESCRIBE_STRUCT(DiskSpec, (), (descriptor, read_only, serial, volume))

struct NicSpec {
    std::vector<int> descriptors;  // one a queue pair of the tap
    std::string mac;               // aa:bb:cc:dd:ee:ff
    std::optional<std::uint16_t> mtu;
};
BOOST_DESCRIBE_STRUCT(NicSpec, (), (descriptors, mac, mtu))

struct VsockSpec {
    std::uint64_t cid = 3;
    int listener = -1;  // a unix socket on which programs of the host ask for the guest
    int dial = -1;      // where the VMM asks for programs of the host
};
BOOST_DESCRIBE_STRUCT(VsockSpec, (), (cid, listener, dial))

struct GdbSpec {
    int listener = -1;  // a unix socket to which debuggers connect
    bool wait = false;  // whether the guest begins only when one lets it
};
BOOST_DESCRIBE_STRUCT(GdbSpec, (), (listener, wait))

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
    std::optional<VsockSpec> vsock;
    std::optional<GdbSpec> gdb;
};
BOOST_DESCRIBE_STRUCT(VmmSpec, (),
                      (version, kvm, cpus, memory, kernel, kernel_name, firmware, initrd,
                       initrd_name, command_line, console, disks, nics, balloon, vsock, gdb))

}  // namespace sheaf::node
