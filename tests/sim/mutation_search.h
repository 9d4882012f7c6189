#pragma once

// Why: a rule that was broken must be found by some history. What is searched, and how the outcome
// is told, is the same for every engine.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include <fmt/core.h>

namespace sheaf::sim {

// Name is an engine's MutationName; Mutation the type of its rules.
template <class Name, class Mutation = decltype(Name::mutation)>
class MutationSearch {
  public:
    // A history that found it, to begin with: most changes of the engine leave that as it is.
    struct KnownSeed {
        Mutation mutation;
        std::uint64_t seed;
    };
    // What a history of this seed found, in words; empty: nothing.
    using Run = std::string (*)(const Name& broken, std::uint64_t seed);

    MutationSearch(std::span<const Name> mutations, std::span<const KnownSeed> known, Run run)
        : mutations_(mutations), known_(known), run_(run) {}

    // Without arguments all rules, one after the other; 1 where one was not found. With NAME and
    // SEED one history; "none" keeps all rules.
    int main(int count, char** arguments) const {
        if (count == 3) return run_one(arguments[1], std::strtoull(arguments[2], nullptr, 10));
        auto missed = 0;
        for (const auto& mutation : mutations_)
            if (!is_found_alone(mutation)) ++missed;
        return missed == 0 ? 0 : 1;
    }

  private:
    static constexpr std::uint64_t most_seeds = 200;
    static constexpr Name all_kept{Mutation::none, "none"};

    std::uint64_t known_seed(Mutation mutation) const {
        for (const auto& known : known_)
            if (known.mutation == mutation) return known.seed;
        return 1;
    }

    bool finds(const Name& broken, std::uint64_t seed) const {
        const auto violation = run_(broken, seed);
        if (!violation.empty()) fmt::print("{}: seed {}: {}\n", broken.name, seed, violation);
        return !violation.empty();
    }

    bool is_found(const Name& broken) const {
        if (finds(broken, known_seed(broken.mutation))) return true;
        for (std::uint64_t seed = 1; seed <= most_seeds; ++seed)
            if (finds(broken, seed)) return true;
        fmt::print("{}: not found by {} histories\n", broken.name, most_seeds);
        return false;
    }

    // In a process of its own, for an engine without its rules may do anything.
    bool is_found_alone(const Name& broken) const {
        std::fflush(stdout);
        const auto child = ::fork();
        if (child == 0) {
            const auto found = is_found(broken);
            std::fflush(stdout);
            ::_exit(found ? 0 : 1);
        }
        auto status = 0;
        if (child < 0 || ::waitpid(child, &status, 0) != child) return false;
        if (WIFSIGNALED(status))
            fmt::print("{}: died of signal {}\n", broken.name, WTERMSIG(status));
        return WIFSIGNALED(status) || WEXITSTATUS(status) == 0;
    }

    const Name* find(std::string_view name) const {
        if (name == all_kept.name) return &all_kept;
        for (const auto& mutation : mutations_)
            if (name == mutation.name) return &mutation;
        return nullptr;
    }

    int run_one(std::string_view name, std::uint64_t seed) const {
        const auto* mutation = find(name);
        if (!mutation) {
            fmt::print("there is no rule {}\n", name);
            return 1;
        }
        const auto violation = run_(*mutation, seed);
        fmt::print("{}\n", violation.empty() ? "nothing was found" : violation);
        return violation.empty() ? 1 : 0;
    }

    std::span<const Name> mutations_;
    std::span<const KnownSeed> known_;
    Run run_;
};

}  // namespace sheaf::sim
