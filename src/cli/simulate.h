#pragma once

// Why: each kind of simulated history is a verb of its own in a file of its own; which histories a
// person asks for, and how a violation is told, is the same for all of them.

#include <array>
#include <cstdio>
#include <string_view>

#include "cli/verbs.h"
#include "node/exit_report.h"

namespace sheaf::cli {

extern const Verb simulate_cluster_verb;

struct WantedHistories {
    std::uint64_t seed;
    std::uint64_t seeds;
    std::uint64_t steps;
};

// From --seed, --seeds and --steps.
Result<WantedHistories> wanted_histories(const Arguments& arguments, std::string_view steps);

// Runs one history after the other: run(options) as the simulations have it. Prints what they
// covered together, or the first violation and how to see it again; gives the exit code.
template <class Covered>
int run_histories(const Verb& verb, const WantedHistories& wanted, auto run, auto print) {
    Covered covered;
    for (std::uint64_t count = 0; count < wanted.seeds; ++count) {
        const auto seed = wanted.seed + count;
        const auto result = run(seed, wanted.steps);
        covered.add(result.coverage);
        if (result.violation.empty()) continue;
        fmt::print(stderr,
                   "sheaf: simulate: seed {}: {}\nsee it again: sheaf {} --seed {} --steps {}\n",
                   seed, result.violation, verb.name, seed, wanted.steps);
        return 1;
    }
    print(covered, wanted.seeds);
    return 0;
}

// The main function of such a verb. `steps` is how many one history has where nobody says.
template <class Covered>
int simulate(const Verb& verb, std::span<char*> arguments, std::string_view steps, auto run,
             auto print) {
    const auto parsed = arguments_or_exit(verb, arguments);
    if (!parsed) return parsed.error();
    const auto wanted = wanted_histories(*parsed, steps);
    if (wanted) return run_histories<Covered>(verb, *wanted, run, print);
    fmt::print(stderr, "sheaf: {}: {}; see sheaf {} --help\n", verb.name, wanted.error().text(),
               verb.name);
    return static_cast<int>(node::ExitCode::usage);
}

}  // namespace sheaf::cli
