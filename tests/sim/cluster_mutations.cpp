// Breaks each rule of replication in turn and runs histories until one finds it.
//
//     cluster_mutations              all of them
//     cluster_mutations NAME SEED    one history with one rule broken; NAME none: with all kept
//
// The exit code is 1 where a broken rule was not found.

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/core.h>

#include "sim/cluster_run.h"

namespace {

using sheaf::replica::Mutation;
using sheaf::replica::MutationName;

constexpr std::uint64_t most_seeds = 200;

// A history that found it, to begin with: most changes of the engine leave that as it is.
struct KnownSeed {
    Mutation mutation;
    std::uint64_t seed;
};
constexpr auto known_seeds = std::to_array<KnownSeed>({
    {Mutation::epoch_not_checked, 3},
    {Mutation::answered_before_removal, 2},
});

std::uint64_t known_seed(Mutation mutation) {
    for (const auto& known : known_seeds)
        if (known.mutation == mutation) return known.seed;
    return 1;
}

sheaf::sim::ClusterRunResult run(const MutationName& broken, std::uint64_t seed) {
    return sheaf::sim::run_cluster({.seed = seed, .mutation = broken.mutation});
}

bool finds(const MutationName& broken, std::uint64_t seed) {
    const auto result = run(broken, seed);
    if (!result.violation.empty())
        fmt::print("{}: seed {}: {}\n", broken.name, seed, result.violation);
    return !result.violation.empty();
}

bool is_found(const MutationName& broken) {
    if (finds(broken, known_seed(broken.mutation))) return true;
    for (std::uint64_t seed = 1; seed <= most_seeds; ++seed)
        if (finds(broken, seed)) return true;
    fmt::print("{}: not found by {} histories\n", broken.name, most_seeds);
    return false;
}

// In a process of its own, for an engine without its rules may do anything.
bool is_found_alone(const MutationName& broken) {
    std::fflush(stdout);
    const auto child = ::fork();
    if (child == 0) {
        const auto found = is_found(broken);
        std::fflush(stdout);
        ::_exit(found ? 0 : 1);
    }
    auto status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) return false;
    if (WIFSIGNALED(status)) fmt::print("{}: died of signal {}\n", broken.name, WTERMSIG(status));
    return WIFSIGNALED(status) || WEXITSTATUS(status) == 0;
}

constexpr MutationName all_kept{Mutation::none, "none"};

const MutationName* find(const char* name) {
    if (std::strcmp(name, all_kept.name) == 0) return &all_kept;
    for (const auto& mutation : sheaf::replica::mutations)
        if (std::strcmp(name, mutation.name) == 0) return &mutation;
    return nullptr;
}

int run_one(const char* name, const char* seed) {
    const auto* mutation = find(name);
    if (!mutation) {
        fmt::print("there is no rule {}\n", name);
        return 1;
    }
    const auto result = run(*mutation, std::strtoull(seed, nullptr, 10));
    fmt::print("{}\n", result.violation.empty() ? "nothing was found" : result.violation);
    return result.violation.empty() ? 1 : 0;
}

}  // namespace

int main(int count, char** arguments) {
    if (count == 3) return run_one(arguments[1], arguments[2]);
    auto missed = 0;
    for (const auto& mutation : sheaf::replica::mutations)
        if (!is_found_alone(mutation)) ++missed;
    return missed == 0 ? 0 : 1;
}
