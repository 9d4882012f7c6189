#include "cli/verbs.h"

#include <array>
#include <cstdio>

#include "node/exit_report.h"
#include "node/keeper_process.h"
#include "node/vmm_process.h"

namespace sheaf::cli {

namespace {

constexpr auto all_verbs = std::to_array<const Verb*>(
    {&run_verb, &daemon_verb, &kubeconfig_verb, &vm_verb, &kinds_verb, &get_verb, &describe_verb,
     &apply_verb, &edit_verb, &delete_verb, &watch_verb, &volume_verb, &snapshot_verb, &image_verb,
     &replica_verb, &doctor_verb, &simulate_verb, &completion_verb, &man_verb});

constexpr auto usage_exit = static_cast<int>(node::ExitCode::usage);

std::string overview() {
    auto text = std::string{
        "sheaf: virtual machines, their disks and their networks in one binary\n\n"
        "Usage: sheaf VERB [options]\n\nVerbs:\n"};
    for (const auto* verb : all_verbs)
        text += fmt::format("  {:<12}{}\n", verb->name, verb->summary);
    text +=
        "\nsheaf VERB --help shows a verb's options and an example; sheaf --version the version.\n";
    return text;
}

void print(std::FILE* stream, std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stream);
}

int refuse(std::string_view message, std::string_view remedy) {
    print(stderr, fmt::format("sheaf: {}; {}\n", message, remedy));
    return usage_exit;
}

int refuse(const Verb& verb, std::string_view message) {
    return refuse(fmt::format("{}: {}", verb.name, message),
                  fmt::format("see sheaf {} --help", verb.name));
}

// A verb does its work, or chooses among its sub-verbs.
int run(const Verb& verb, std::span<char*> arguments) {
    if (verb.verbs.empty() || (verb.main && arguments.empty())) return verb.main(arguments);
    if (arguments.empty()) return refuse(verb, "a verb is missing");
    const auto word = std::string_view{arguments[0]};
    if (word == "--help" || word == "-h") {
        print(stdout, help_of(verb));
        return 0;
    }
    for (const auto* below : verb.verbs)
        if (last_word(below->name) == word) return run(*below, arguments.subspan(1));
    if (verb.main && word.starts_with('-')) return verb.main(arguments);
    return refuse(verb, fmt::format("there is no verb \"{}\"", word));
}

}  // namespace

std::span<const Verb* const> verbs() {
    return all_verbs;
}

std::expected<Arguments, int> arguments_or_exit(const Verb& verb, std::span<char*> arguments) {
    for (const std::string_view word : arguments) {
        if (word != "--help" && word != "-h") continue;
        print(stdout, help_of(verb));
        return std::unexpected{0};
    }
    auto parsed = parse(verb, arguments);
    if (!parsed) return std::unexpected{refuse(verb, parsed.error().text())};
    return *std::move(parsed);
}

int main(std::span<char*> arguments) {
    if (arguments.size() < 2) {
        print(stderr, overview());
        return usage_exit;
    }
    const auto word = std::string_view{arguments[1]};
    const auto rest = arguments.subspan(2);
    if (word == "--version" || word == "version") {
        print(stdout, "sheaf " SHEAF_VERSION "\n");
        return 0;
    }
    if (word == "--help" || word == "-h" || word == "help") {
        print(stdout, overview());
        return 0;
    }
    if (word == "vmm") return node::vmm_main(rest);
    if (word == "keeper") return node::keeper_main(rest);
    for (const auto* verb : all_verbs)
        if (verb->name == word) return run(*verb, rest);
    return refuse(fmt::format("there is no verb \"{}\"", word), "see sheaf --help");
}

}  // namespace sheaf::cli
