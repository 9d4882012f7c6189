#include "cli/manual.h"

#include <array>

#include "cli/pool_verb.h"

namespace sheaf::cli {

namespace {

constexpr auto operands = std::to_array<Operand>({{"SHELL", "bash"}});

Result<void> complete(const Arguments& arguments) {
    if (arguments.operand(0) != "bash")
        return fail(Kind::unsupported, "only bash is completed, not \"{}\"", arguments.operand(0));
    return print(bash_completion(verbs()));
}

Result<void> manual(const Arguments&) {
    return print(manual_page(verbs()));
}

int completion_main(std::span<char*> arguments) {
    return main_of(completion_verb, arguments, complete);
}
int man_main(std::span<char*> arguments) {
    return main_of(man_verb, arguments, manual);
}

}  // namespace

constinit const Verb completion_verb = {
    .name = "completion",
    .summary = "print what completes command lines in a shell",
    .options = {},
    .details = "The Debian package, and cmake --install, put it where bash finds it.",
    .example = "source <(sheaf completion bash)",
    .main = completion_main,
    .operands = operands,
};

constinit const Verb man_verb = {
    .name = "man",
    .summary = "print the manual page",
    .options = {},
    .details = {},
    .example = "sheaf man | man -l -",
    .main = man_main,
};

}  // namespace sheaf::cli
