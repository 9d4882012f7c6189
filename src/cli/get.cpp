#include <array>

#include "cli/object_changes.h"
#include "cli/object_show.h"

namespace sheaf::cli {

namespace {

constexpr auto get_options =
    std::to_array<Option>({namespace_option,
                           all_namespaces_option,
                           selector_option,
                           shape_option,
                           {"w", "", "go on with what changes, until Ctrl-C"},
                           socket_option});
constexpr auto watch_options = std::to_array<Option>(
    {namespace_option, all_namespaces_option, selector_option, shape_option, socket_option});
constexpr auto operands = std::to_array<Operand>(
    {{"KIND", "vm, volumes, images.sheaf.io: any word that the server knows it by"},
     {"NAME", "only this object", Times::at_most_once}});

Result<ObjectQuery> query_of(const Arguments& arguments, const Target& target) {
    ObjectQuery query{target.resource, target.name_space, {}, TRY(arguments.one("l"))};
    if (arguments.operands().size() > 1) query.name = arguments.operand(1);
    if (query.name.empty()) return query;
    if (!query.selector.empty()) return fail(Kind::invalid, "a name and -l are two ways to choose");
    if (arguments.has("A") && query.resource.namespaced)
        return fail(Kind::invalid, "one object is in one namespace: -n, not -A");
    return query;
}

Result<void> get(const Arguments& arguments) {
    const auto shape = TRY(parse_shape(arguments));
    auto target = TRY(target_of(arguments));
    const auto query = TRY(query_of(arguments, target));
    ObjectTable table{columns_of(shape, query)};
    auto revision = TRY(print_list(*target.client, query, shape, table));
    if (!arguments.has("w")) return {};
    return print_changes(*target.client, query, shape, std::move(revision), table);
}

Result<void> watch(const Arguments& arguments) {
    const auto shape = TRY(parse_shape(arguments));
    auto target = TRY(target_of(arguments));
    const auto query = TRY(query_of(arguments, target));
    auto columns = columns_of(shape, query);
    columns.event = true;
    ObjectTable table{columns};
    return print_changes(*target.client, query, shape, {}, table);
}

int get_main(std::span<char*> arguments) {
    return main_of(get_verb, arguments, get);
}
int watch_main(std::span<char*> arguments) {
    return main_of(watch_verb, arguments, watch);
}

}  // namespace

constinit const Verb get_verb = {
    .name = "get",
    .summary = "show objects that the daemon keeps",
    .options = get_options,
    .details = "Without a NAME all objects of that kind in the namespace.",
    .example = "sheaf get vm\n  sheaf get volume root -o yaml",
    .main = get_main,
    .operands = operands,
};

constinit const Verb watch_verb = {
    .name = "watch",
    .summary = "show what happens to objects, as it happens",
    .options = watch_options,
    .details =
        "What is there comes first, as ADDED; then each change once and in order, until Ctrl-C.\n"
        "With -o json each is one line, with its type and the object.",
    .example = "sheaf watch vm",
    .main = watch_main,
    .operands = operands,
};

}  // namespace sheaf::cli
