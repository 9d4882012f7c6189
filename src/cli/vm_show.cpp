#include <array>

#include "cli/object_show.h"
#include "cli/vm.h"

namespace sheaf::cli {

namespace {

constexpr auto list_options = std::to_array<Option>(
    {namespace_option, all_namespaces_option, selector_option, shape_option, socket_option});
constexpr auto show_options = std::to_array<Option>({namespace_option, socket_option});
constexpr auto delete_options =
    std::to_array<Option>({{"with-disks", "", "and the disks that vm create made for it"},
                           namespace_option,
                           socket_option});
constexpr auto operands = std::to_array<Operand>({{"NAME", "which machine"}});

Result<void> list(const Arguments& arguments) {
    const auto shape = TRY(parse_shape(arguments));
    const ObjectQuery query{
        machine_resource(), TRY(namespace_of(arguments)), {}, TRY(arguments.one("l"))};
    const auto client = TRY(ApiClient::of(arguments));
    ObjectTable table{columns_of(shape, query)};
    TRY(print_list(*client, query, shape, table));
    return {};
}

Result<void> show(const Arguments& arguments) {
    const auto name_space = TRY(namespace_of(arguments));
    const auto client = TRY(ApiClient::of(arguments));
    return print(
        TRY(description_of(*client, {machine_resource(), name_space, arguments.operand(0)})));
}

Result<void> remove(const Arguments& arguments) {
    const auto& name = arguments.operand(0);
    const auto name_space = TRY(namespace_of(arguments));
    const auto client = TRY(ApiClient::of(arguments));
    TRY(remove_object(*client, {machine_resource(), name_space, name}));
    const ObjectQuery query{volume_resource(), name_space, {}, "sheaf.io/machine=" + name};
    const auto disks = TRY(fetch_list(*client, query, ListForm::objects));
    for (const auto& page : disks.pages) {
        const auto* items = page.find("items");
        if (!items || !items->array()) continue;
        for (const auto& disk : *items->array()) {
            const std::string volume{disk.text_at({"metadata", "name"})};
            if (arguments.has("with-disks")) {
                TRY(remove_object(*client, {volume_resource(), name_space, volume}));
            } else {
                TRY(print(fmt::format("{} is kept\n", volume_resource().title(volume))));
            }
        }
    }
    return {};
}

int list_main(std::span<char*> arguments) {
    return main_of(vm_list_verb, arguments, list);
}
int show_main(std::span<char*> arguments) {
    return main_of(vm_show_verb, arguments, show);
}
int delete_main(std::span<char*> arguments) {
    return main_of(vm_delete_verb, arguments, remove);
}

}  // namespace

constinit const Verb vm_list_verb = {
    .name = "vm list",
    .summary = "list machines",
    .options = list_options,
    .details = {},
    .example = "sheaf vm list -A",
    .main = list_main,
};

constinit const Verb vm_show_verb = {
    .name = "vm show",
    .summary = "say everything about one machine, and what has happened to it",
    .options = show_options,
    .details = {},
    .example = "sheaf vm show web",
    .main = show_main,
    .operands = operands,
};

constinit const Verb vm_delete_verb = {
    .name = "vm delete",
    .summary = "stop a machine and delete it",
    .options = delete_options,
    .details = "What is on its disks is kept, unless --with-disks says otherwise.",
    .example = "sheaf vm delete web",
    .main = delete_main,
    .operands = operands,
};

}  // namespace sheaf::cli
