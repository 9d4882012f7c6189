#include <array>
#include <cstdio>

#include "base/json_path.h"
#include "cli/merge_patch.h"
#include "cli/object_verb.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    file_option,
    namespace_option,
    {"dry-run", "", "say what would be done, and let the server check it, but keep nothing"},
    socket_option,
});

struct Applying {
    ApiClient& client;
    const Resources& resources;
    const Arguments& arguments;
    std::string_view parameters;  // of every write
};

// What the last apply said; nothing where it was made in another way.
Json last_applied(const Json& current) {
    const auto text = current.text_at({"metadata", "annotations", last_applied_name});
    auto last = Json::parse(text);
    return last && last->object() ? *std::move(last) : Json::object({});
}

Result<std::string_view> create(const Applying& work, const ObjectPlace& place,
                                const Json& wanted) {
    ApiRequest request{
        .method = "POST",
        .target = place.resource.path(place.name_space) + std::string{work.parameters},
        .body = wanted.text()};
    TRY(work.client.ask(std::move(request)));
    return "created";
}

// A patch of nothing is not asked for. What the server keeps in another form than it is told (a
// Secret's stringData) differs each time: whether anything changed the revision says.
Result<std::string_view> change(const Applying& work, const ObjectPlace& place, const Json& current,
                                const Json& wanted) {
    const auto patch = three_way_patch(last_applied(current), current, wanted);
    if (patch.object()->empty()) return "unchanged";
    ApiRequest request{.method = "PATCH",
                       .target = place.path() + std::string{work.parameters},
                       .body = patch.text(),
                       .content_type = merge_patch_type};
    const auto changed = TRY(work.client.ask(std::move(request)));
    const auto revision = current.text_at({"metadata", "resourceVersion"});
    return changed.text_at({"metadata", "resourceVersion"}) == revision ? "unchanged"
                                                                        : "configured";
}

Result<void> apply_one(const Applying& work, Json object) {
    const auto place = TRY(place_of(work.resources, object, work.arguments));
    auto& metadata = object["metadata"];
    if (place.resource.namespaced) metadata["namespace"] = place.name_space;
    auto kept = last_applied_text(object);
    if (!metadata["annotations"].object()) metadata["annotations"] = Json::object({});
    metadata["annotations"][last_applied_name] = std::move(kept);
    const auto current = work.client.ask({.target = place.path()});
    if (!current && current.error().kind() != Kind::not_found) return Failure{current.error()};
    const auto done =
        TRY(current ? change(work, place, *current, object) : create(work, place, object));
    return print(fmt::format("{} {}\n", place.resource.title(place.name), done));
}

// Each object by itself: what is wrong with one keeps none of the others from being applied.
Result<void> apply(const Arguments& arguments) {
    if (!arguments.has("f")) return fail(Kind::invalid, "-f is missing: the file with the objects");
    auto objects = TRY(read_files(arguments));
    const auto client = TRY(ApiClient::of(arguments));
    const auto resources = TRY(Resources::discover(*client));
    const Applying work{*client, resources, arguments,
                        arguments.has("dry-run") ? "?dryRun=All" : ""};
    std::optional<Error> failure;
    for (auto& [file, object] : objects) {
        const auto what = fmt::format("{}: {} {}", file, object.text_at({"kind"}),
                                      json::in_quotes(object.text_at({"metadata", "name"})));
        const auto applied = apply_one(work, std::move(object));
        if (applied) continue;
        if (failure) std::fputs(fmt::format("sheaf apply: {}\n", failure->text()).c_str(), stderr);
        failure = Error{applied.error()}.within(what);
    }
    if (failure) return Failure{*std::move(failure)};
    return {};
}

int apply_main(std::span<char*> arguments) {
    return main_of(apply_verb, arguments, apply);
}

}  // namespace

constinit const Verb apply_verb = {
    .name = "apply",
    .summary = "make objects be what files say",
    .options = options,
    .details =
        "An object that is not there is made; of one that is there what the file says is changed,\n"
        "what the file said last time and no longer says is removed, and everything else stays.\n"
        "The last file is kept where kubectl keeps it, so that both can be used on one object.",
    .example = "sheaf apply -f machine.yaml",
    .main = apply_main,
};

}  // namespace sheaf::cli
