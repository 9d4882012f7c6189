#pragma once

// Why: the verbs that tell of volumes with copies on several hosts find the same things.

#include <boost/describe.hpp>

#include "cli/cluster_access.h"
#include "storage/replica/attachment.h"

namespace sheaf::cli {

struct CopyShown {
    std::string node;
    std::string address;
    replica::CopyMode mode = replica::CopyMode::ERR;
    std::uint64_t lag = 0;      // bytes
    std::uint64_t copied = 0;   // of a rebuild
    std::uint64_t to_copy = 0;  // 0: none runs
    std::string error;
};
BOOST_DESCRIBE_STRUCT(CopyShown, (), (node, address, mode, lag, copied, to_copy, error))

struct ReplicatedShown {
    std::string name;
    std::uint64_t size = 0;  // bytes
    std::string state;       // attached or detached
    std::string robustness;  // healthy, degraded or faulted
    std::string node;        // whose engine has it, or had it last
    std::uint64_t epoch = 0;
    std::uint32_t minimum = 0;  // copies that have to be in sync
    std::uint64_t healed = 0;   // damaged places that reads have put right since it was attached
    std::vector<CopyShown> copies;
};
BOOST_DESCRIBE_STRUCT(ReplicatedShown, (),
                      (name, size, state, robustness, node, epoch, minimum, healed, copies))

// What the store knows of a volume. Fails with not_found. Loop thread only.
io::Task<ReplicatedShown> find_replicated(kv::Kv& store, std::string name);
// Of all that it has, by name.
io::Task<std::vector<ReplicatedShown>> find_all_replicated(kv::Kv& store);

// "3 copies, degraded, attached to node a".
std::string words_of(const ReplicatedShown& volume);

// Prints them: `volume list --kv`, `volume show --kv`.
Result<void> list_replicated(const Arguments& arguments);
Result<void> show_replicated(const Arguments& arguments);

}  // namespace sheaf::cli
