#pragma once

// Why: what this host is and has, as its kernel says.

#include <cstdint>
#include <string>

namespace sheaf::control {

struct HostFacts {
    std::string name;          // fit for an object
    std::string kernel;        // "6.1.0-18-amd64"
    std::string architecture;  // "x86_64"
    std::string system;        // "Debian GNU/Linux 12 (bookworm)"
    std::string boot;          // changes with each start of the host
    std::string machine;       // stays; empty where the host has none
    unsigned processors = 0;
    std::uint64_t memory = 0;            // bytes
    std::uint64_t available_memory = 0;  // bytes, without swapping
    std::uint64_t space = 0;             // bytes of the file system of the state directory
    std::uint64_t free_space = 0;        // bytes of it
    bool kvm = false;                    // whether machines can run
};

// Blocks as long as a file of /proc takes.
HostFacts look_at_host(const std::string& state_directory);

// The name of a host as the name of an object: small letters, digits, '-' and '.'.
std::string object_name_of(std::string host);

}  // namespace sheaf::control
