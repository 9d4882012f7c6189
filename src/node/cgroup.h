#pragma once

// Why: a machine gets no more of the host than it was promised, and what it used can be seen. Both
// versions of cgroups are behind one interface; where the host refuses, a machine runs without.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace sheaf::node {

struct MachineCaps {
    std::optional<std::uint64_t> cpu;     // thousandths of a processor
    std::optional<std::uint64_t> memory;  // bytes, of guest, VMM and keeper together
};

// Where this process may make groups. A value; all calls block.
class Cgroups {
  public:
    // What the host says of itself: the texts of /proc/self/mountinfo and /proc/self/cgroup.
    struct Host {
        std::string mounts;
        std::string membership;
    };
    static Host this_host();
    // Fails with unavailable where there are none.
    static Result<Cgroups> find(const Host& host);

    // Makes a machine's groups, or takes those that are there, and gives their directories. What
    // was made is gone where it fails.
    Result<std::vector<std::string>> make(const std::string& uid, const MachineCaps& caps) const;

  private:
    enum class Version { one, two };
    Cgroups(Version version, std::string cpu, std::string memory)
        : version_(version), cpu_(std::move(cpu)), memory_(std::move(memory)) {}
    Result<void> cap(const std::vector<std::string>& groups, const MachineCaps& caps) const;

    Version version_;
    std::string cpu_;  // directories below which groups are made; the same of version 2
    std::string memory_;
};

// Puts this process, and what it will start, into the group.
Result<void> join_cgroup(const std::string& directory);
// What is not there is removed already. Fails with conflict where processes are in it.
Result<void> remove_cgroups(const std::vector<std::string>& directories);

}  // namespace sheaf::node
