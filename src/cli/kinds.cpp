#include <array>

#include <fmt/format.h>

#include "cli/object_verb.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({{"o", "name", "only the names"}, socket_option});

Result<void> kinds(const Arguments& arguments) {
    const auto form = TRY(arguments.one("o"));
    if (arguments.has("o") && form != "name")
        return fail(Kind::invalid, "-o is name, not \"{}\"", form);
    const auto client = TRY(ApiClient::of(arguments));
    const auto resources = TRY(Resources::discover(*client));
    std::vector<std::vector<std::string>> rows{{"NAME", "SHORT", "API", "NAMESPACED", "KIND"}};
    std::string names;
    for (const auto& resource : resources.all()) {
        names += resource.plural + '\n';
        rows.push_back({resource.plural, fmt::format("{}", fmt::join(resource.short_names, ",")),
                        resource.api_version(), resource.namespaced ? "yes" : "no", resource.kind});
    }
    return print(form.empty() ? table(std::move(rows)) : names);
}

int kinds_main(std::span<char*> arguments) {
    return main_of(kinds_verb, arguments, kinds);
}

}  // namespace

constinit const Verb kinds_verb = {
    .name = "kinds",
    .summary = "list the kinds of objects that there are",
    .options = options,
    .details = {},
    .example = "sheaf kinds",
    .main = kinds_main,
};

}  // namespace sheaf::cli
