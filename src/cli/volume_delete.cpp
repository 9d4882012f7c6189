#include <array>

#include "cli/pool_verb.h"
#include "cli/volume.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({pool_option});
constexpr auto operands = std::to_array<Operand>({{"NAME", "which volume"}});

Result<void> remove(const Arguments& arguments) {
    const auto pool = TRY(open_pool(arguments));
    const auto held = TRY(pool->hold(pool::Shelf::volumes, arguments.operand(0), "volume delete"));
    return pool->remove(held, pool::Shelf::volumes);
}

int delete_main(std::span<char*> arguments) {
    return main_of(volume_delete_verb, arguments, remove);
}

}  // namespace

constinit const Verb volume_delete_verb = {
    .name = "volume delete",
    .summary = "delete a volume and what is on it",
    .options = options,
    .details = "One that is in use is refused. Clones of it stay whole.",
    .example = "sheaf volume delete root",
    .main = delete_main,
    .operands = operands,
};

}  // namespace sheaf::cli
