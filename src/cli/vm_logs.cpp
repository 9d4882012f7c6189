#include <array>

#include "cli/vm.h"

namespace sheaf::cli {

namespace {

constexpr auto options =
    std::to_array<Option>({{"f", "", "go on with what it prints, until it ends or Ctrl-C"},
                           {"tail", "LINES", "only so many of the last lines"},
                           namespace_option,
                           socket_option});
constexpr std::uint64_t most_lines = 1'000'000;
constexpr auto operands = std::to_array<Operand>({{"NAME", "which machine"}});

Result<void> logs(const Arguments& arguments) {
    const auto name_space = TRY(namespace_of(arguments));
    const auto client = TRY(ApiClient::of(arguments));
    ApiRequest request{
        .target = action_path(name_space, "virtualmachineinstances", arguments.operand(0), "log")};
    request.accept = "*/*";
    std::string_view mark = "?";
    if (arguments.has("f")) {
        request.target += "?follow=true";
        mark = "&";
    }
    if (arguments.has("tail")) {
        const auto lines =
            TRY_WITHIN(parse_number(TRY(arguments.one("tail")), 0, most_lines), "--tail");
        request.target += fmt::format("{}tailLines={}", mark, lines);
    }
    TRY(client->begin(std::move(request)));
    while (const auto piece = TRY(client->next_piece())) TRY(print(*piece));
    return {};
}

int logs_main(std::span<char*> arguments) {
    return main_of(vm_logs_verb, arguments, logs);
}

}  // namespace

constinit const Verb vm_logs_verb = {
    .name = "vm logs",
    .summary = "show what a machine has printed on its console",
    .options = options,
    .details =
        "The last MiB of it is kept, also of a machine that has ended, until it is started\n"
        "again or deleted.",
    .example = "sheaf vm logs web --tail 20\n  sheaf vm logs web -f",
    .main = logs_main,
    .operands = operands,
};

}  // namespace sheaf::cli
