#pragma once

// Why: what a person asked `sheaf run` for, before anything is opened.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "base/units.h"

namespace sheaf::node {

enum class OnReboot { restart, exit };

struct DiskOption {
    std::string path;    // or a volume
    std::string volume;  // its name
    std::string pool;    // and where it is
    bool read_only = false;
    bool raw = false;    // whatever it looks like; otherwise an image of a format is refused
    std::string serial;  // empty: "disk0", "disk1", ...
    std::optional<unsigned> boot;  // its place in the boot order; those without one come after
};
BOOST_DESCRIBE_STRUCT(DiskOption, (), (path, volume, pool, read_only, raw, serial, boot))

struct NetOption {
    std::string tap;
    std::string mac;  // empty: made from the tap's name, so that it is the same every time
    std::optional<std::uint16_t> mtu;
};
BOOST_DESCRIBE_STRUCT(NetOption, (), (tap, mac, mtu))

struct VsockOption {
    std::uint64_t cid = 3;
    std::string socket;  // programs of the host listen on this path with "_port" after it
};

struct GdbOption {
    std::string socket;  // debuggers connect to this path
    bool wait = false;   // the guest begins only when one lets it
};

struct RunOptions {
    std::string kernel;    // empty where firmware starts the machine
    std::string firmware;  // "uefi" or a file; empty where there is a kernel
    std::optional<std::string> initrd;
    std::string command_line = "console=ttyS0";
    unsigned cpus = 1;
    std::uint64_t memory = 512_MiB;  // bytes
    std::vector<DiskOption> disks;
    std::vector<NetOption> nets;
    bool balloon = false;
    std::optional<VsockOption> vsock;
    std::optional<GdbOption> gdb;
    std::string console = "stdio";  // or unix:PATH, or a file
    OnReboot on_reboot = OnReboot::restart;
    std::optional<std::string> pid_file;
    std::optional<std::string> report;
    std::chrono::seconds grace{60};  // from the power button to force
};

}  // namespace sheaf::node
