#include "cli/image.h"

#include <array>

#include "cli/pool_verb.h"

namespace sheaf::cli {

namespace {

constexpr auto sub_verbs = std::to_array<const Verb*>({
    &image_import_verb,
    &image_list_verb,
    &image_show_verb,
    &image_export_verb,
    &image_delete_verb,
});

constexpr auto options = std::to_array<Option>({pool_option});
constexpr auto operands = std::to_array<Operand>({{"NAME", "which image"}});

Result<void> remove(const Arguments& arguments) {
    const auto pool = TRY(open_pool(arguments));
    const auto held = TRY(pool->hold(pool::Shelf::images, arguments.operand(0), "image delete"));
    return pool->remove(held, pool::Shelf::images);
}

int delete_main(std::span<char*> arguments) {
    return main_of(image_delete_verb, arguments, remove);
}

}  // namespace

constinit const Verb image_verb = {
    .name = "image",
    .summary = "import, list, export and delete the images that volumes are made from",
    .options = {},
    .details =
        "An image is a disk that is never written again. Exit codes: 0 done, 64 usage,\n"
        "65 bad input, 69 this host cannot, 70 internal.",
    .example = "sheaf image import debian.qcow2 --name debian",
    .main = nullptr,
    .operands = {},
    .verbs = sub_verbs,
};

constinit const Verb image_delete_verb = {
    .name = "image delete",
    .summary = "delete an image",
    .options = options,
    .details = "Volumes that were made from it stay whole.",
    .example = "sheaf image delete debian",
    .main = delete_main,
    .operands = operands,
};

}  // namespace sheaf::cli
