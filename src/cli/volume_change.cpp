#include <array>

#include "cli/errand.h"
#include "cli/volume.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({pool_option});
constexpr auto resize_operands = std::to_array<Operand>(
    {{"NAME", "which volume"}, {"SIZE", "what it is to have, more than now"}});
constexpr auto flatten_operands = std::to_array<Operand>({{"NAME", "which volume"}});

Result<void> resize(const Arguments& arguments) {
    pool::ControlRequest request;
    request.request = pool::ControlVerb::resize;
    request.size = TRY_WITHIN(parse_volume_size(arguments.operand(1)), "SIZE");
    TRY(run_errand(volume_resize_verb, arguments, std::move(request)));
    return {};
}

Result<void> flatten(const Arguments& arguments) {
    pool::ControlRequest request;
    request.request = pool::ControlVerb::flatten;
    TRY(run_errand(volume_flatten_verb, arguments, std::move(request)));
    return {};
}

int resize_main(std::span<char*> arguments) {
    return main_of(volume_resize_verb, arguments, resize);
}

int flatten_main(std::span<char*> arguments) {
    return main_of(volume_flatten_verb, arguments, flatten);
}

}  // namespace

constinit const Verb volume_resize_verb = {
    .name = "volume resize",
    .summary = "make a volume larger, also while a machine uses it",
    .options = options,
    .details = "The guest sees the new size at once. Volumes do not shrink.",
    .example = "sheaf volume resize root 20G",
    .main = resize_main,
    .operands = resize_operands,
};

constinit const Verb volume_flatten_verb = {
    .name = "volume flatten",
    .summary = "copy what a clone shares with its origin, so that it shares nothing",
    .options = options,
    .details = "Where it is interrupted it goes on with the next use of the volume.",
    .example = "sheaf volume flatten clone",
    .main = flatten_main,
    .operands = flatten_operands,
};

}  // namespace sheaf::cli
