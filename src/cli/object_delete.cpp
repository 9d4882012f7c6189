#include <array>
#include <cstdio>

#include "base/json_path.h"
#include "cli/object_show.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    file_option,
    namespace_option,
    selector_option,
    {"all", "", "every object of the kind in the namespace"},
    {"no-wait", "", "do not wait until they are gone"},
    {"ignore-missing", "", "what is not there is no mistake"},
    socket_option,
});
constexpr auto operands = std::to_array<Operand>(
    {{"KIND", "vm, volumes, images.sheaf.io: any word that the server knows it by",
      Times::at_most_once},
     {"NAME", "which objects", Times::any}});

Result<void> remove(ApiClient& client, const ObjectPlace& place, const Arguments& arguments) {
    const auto wait = arguments.has("no-wait") ? Wait::not_at_all : Wait::until_gone;
    auto removed = remove_object(client, place, wait);
    if (!removed && removed.error().kind() == Kind::not_found && arguments.has("ignore-missing"))
        return {};
    return removed;
}

Result<std::vector<ObjectPlace>> places_of_words(ApiClient& client, const Resources& resources,
                                                 const Arguments& arguments) {
    const auto words = arguments.operands();
    const auto resource = TRY(resources.named(words[0]));
    const auto name_space = resource.namespaced ? TRY(namespace_of(arguments)) : std::string{};
    std::vector<ObjectPlace> places;
    for (const auto& name : words.subspan(1)) places.push_back({resource, name_space, name});
    const bool chosen = arguments.has("l") || arguments.has("all");
    if (chosen != places.empty())
        return fail(Kind::invalid, "which objects: a NAME, or -l, or --all");
    if (!chosen) return places;
    const ObjectQuery query{resource, name_space, {}, TRY(arguments.one("l"))};
    const auto list = TRY(fetch_list(client, query, ListForm::objects));
    for (const auto& page : list.pages)
        if (const auto* items = page.find("items"); items && items->array())
            for (const auto& item : *items->array())
                places.push_back({resource, std::string{item.text_at({"metadata", "namespace"})},
                                  std::string{item.text_at({"metadata", "name"})}});
    return places;
}

// What is made last goes first: it may stand on what is before it.
Result<std::vector<ObjectPlace>> places_of_files(const Resources& resources,
                                                 const Arguments& arguments) {
    const auto objects = TRY(read_files(arguments));
    std::vector<ObjectPlace> places;
    for (auto at = objects.rbegin(); at != objects.rend(); ++at)
        places.push_back(TRY_WITHIN(place_of(resources, at->object, arguments), "{}: {}", at->file,
                                    json::in_quotes(at->object.text_at({"metadata", "name"}))));
    return places;
}

Result<void> remove_all(const Arguments& arguments) {
    if (arguments.has("f") == !arguments.operands().empty())
        return fail(Kind::invalid, "which objects: either KIND and NAME, or -f FILE");
    const auto client = TRY(ApiClient::of(arguments));
    const auto resources = TRY(Resources::discover(*client));
    const auto places = TRY(arguments.has("f") ? places_of_files(resources, arguments)
                                               : places_of_words(*client, resources, arguments));
    std::optional<Error> failure;
    for (const auto& place : places) {
        const auto removed = remove(*client, place, arguments);
        if (removed) continue;
        if (failure) std::fputs(fmt::format("sheaf delete: {}\n", failure->text()).c_str(), stderr);
        failure = Error{removed.error()};
    }
    if (failure) return Failure{*std::move(failure)};
    return {};
}

int delete_main(std::span<char*> arguments) {
    return main_of(delete_verb, arguments, remove_all);
}

}  // namespace

constinit const Verb delete_verb = {
    .name = "delete",
    .summary = "delete objects, and wait until they are gone",
    .options = options,
    .details = "Of a file what stands last is deleted first.",
    .example = "sheaf delete vm web\n  sheaf delete -f machine.yaml",
    .main = delete_main,
    .operands = operands,
};

}  // namespace sheaf::cli
