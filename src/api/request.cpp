#include "api/request.h"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "api/kinds.h"
#include "api/names.h"
#include "api/protobuf_body.h"
#include "base/json_path.h"

namespace sheaf::api {

namespace {

using Refused = std::unexpected<Answer>;

constexpr std::size_t longest_manager = 128;  // bytes

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
    return text;
}

std::string lower(std::string_view text) {
    std::string small{text};
    for (auto& letter : small)
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    return small;
}

// The part of `text` before the mark, which is taken from it.
std::string_view cut(std::string_view& text, char mark) {
    const auto end = std::min(text.find(mark), text.size());
    const auto piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return trimmed(piece);
}

Answer no_such_path() {
    return failure(404, "NotFound", "the server could not find the requested resource");
}

// One of the forms of an Accept header that can be given; none where it cannot.
std::optional<Form> parse_form(std::string_view text, bool of_openapi) {
    auto rest = text;
    const auto type = lower(cut(rest, ';'));
    Form form;
    // As kubectl 1.20 writes it, and as later ones do.
    form.protobuf =
        of_openapi && (type == "application/com.github.proto-openapi.spec.v2@v1.0+protobuf" ||
                       type == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
    const auto json = type == "application/json" || type == "application/*" || type == "*/*";
    std::string_view as;
    std::string_view group;
    while (!rest.empty()) {
        auto parameter = cut(rest, ';');
        const auto name = cut(parameter, '=');
        if (name == "as") as = parameter;
        if (name == "g") group = parameter;
    }
    if (form.protobuf) return form;
    if (!json) return {};
    form.table = as == "Table" && group == "meta.k8s.io";
    if (!as.empty() && !form.table) return {};
    return form;
}

std::optional<Form> choose_form(std::string_view accept, const http::Target& target) {
    const auto of_openapi = !target.path.empty() && target.path[0] == "openapi";
    const auto of_metrics = target.path.size() == 1 && target.path[0] == "metrics";
    if (trimmed(accept).empty() || of_metrics) return Form{};
    for (auto rest = accept; !rest.empty();)
        if (auto form = parse_form(cut(rest, ','), of_openapi)) return form;
    return {};
}

std::optional<Include> parse_include(std::string_view text) {
    if (text.empty() || text == "Metadata") return Include::metadata;
    if (text == "Object") return Include::object;
    if (text == "None") return Include::nothing;
    return {};
}

using Words = std::span<const std::string>;

// "namespaces/NAME/PLURAL/..." but for a namespace's own subresources.
bool is_inside_namespace(Words words, std::string_view group) {
    return words.size() >= 3 && words[0] == "namespaces" &&
           !(group.empty() && (words[2] == "status" || words[2] == "finalize"));
}

// Of the words behind the group and version.
std::optional<Place> parse_place(std::string_view group, std::string_view version, Words words) {
    Place place;
    const auto inside = is_inside_namespace(words, group);
    if (inside) {
        place.name_space = words[1];
        words = words.subspan(2);
    }
    if (words.empty() || words.size() > 3) return {};
    place.kind = find_kind(group, version, words[0]);
    if (!place.kind || (inside && !place.kind->namespaced())) return {};
    if (words.size() > 1) place.name = words[1];
    if (words.size() > 2) {
        if (words[2] != "status" || !place.kind->has_status()) return {};
        place.status = true;
    }
    if (!place.name.empty() && place.kind->namespaced() && !inside) return {};
    return place;
}

// What can be no name names nothing, and never becomes a key.
bool can_be(const Place& place) {
    return (place.name_space.empty() || is_label(place.name_space)) &&
           (place.name.empty() || is_subdomain(place.name));
}

bool has(std::span<const std::string_view> words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

// Of the words behind the group: "v1/namespaces/NAMESPACE/PLURAL/NAME/VERB".
std::optional<MachineCall> parse_call(Words words) {
    if (words.size() != 6 || words[0] != subresources_version || words[1] != "namespaces")
        return {};
    MachineCall call{nullptr, words[2], words[4], words[5]};
    if (words[3] == virtual_machine_kind.plural && has(verbs_of_machines, call.verb))
        call.kind = &virtual_machine_kind;
    if (words[3] == virtual_machine_instance_kind.plural && has(verbs_of_instances, call.verb))
        call.kind = &virtual_machine_instance_kind;
    if (!call.kind) return {};
    return call;
}

std::string_view verb_of(const Request& request, std::string_view method, bool one) {
    if (method == "GET" || method == "HEAD")
        return one ? "get" : request.is_set("watch") ? "watch" : "list";
    if (method == "POST") return "create";
    if (method == "PUT") return "update";
    if (method == "PATCH") return "patch";
    if (method == "DELETE") return one ? "delete" : "deletecollection";
    return method;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return {};
    return number;
}

Answer bad_parameter(std::string_view name, std::string_view value) {
    return bad_request(fmt::format("the parameter {} cannot be {}", name, json::in_quotes(value)));
}

// "All", once, or nothing.
std::optional<bool> parse_dry_run(std::string_view text) {
    if (text.empty()) return false;
    if (text == "All") return true;
    return {};
}

}  // namespace

std::string media_type(std::string_view header) {
    return lower(cut(header, ';'));
}

std::expected<Request, Answer> parse_request(const http::ReceivedRequest& received) {
    auto target = http::parse_target(received.target);
    if (!target) return Refused{bad_request(target.error().text())};
    Request request{.target = *std::move(target), .form = {}, .place = {}, .call = {}};
    const auto form = choose_form(received.header("Accept"), request.target);
    const auto include = parse_include(request.parameter("includeObject"));
    if (!form)
        return Refused{failure(406, "NotAcceptable",
                               "only application/json can be given, as it is or as a Table")};
    if (!include)
        return Refused{bad_parameter("includeObject", request.parameter("includeObject"))};
    request.form = *form;
    request.form.include = *include;
    const Words path = request.target.path;
    const auto core = path.size() > 2 && path[0] == "api";
    if (!core && (path.size() < 4 || path[0] != "apis")) return request;
    if (!core && path[1] == subresources_group) {
        request.call = parse_call(path.subspan(2));
        if (!request.call) return Refused{no_such_path()};
        if (!can_be(request.call->place()))
            return Refused{not_found(request.call->place().subject())};
        return request;
    }
    request.place = core ? parse_place({}, path[1], path.subspan(2))
                         : parse_place(path[1], path[2], path.subspan(3));
    if (!request.place) return Refused{no_such_path()};
    if (!can_be(*request.place)) return Refused{not_found(request.place->subject())};
    return request;
}

Deed deed_of(const Request& request, std::string_view method) {
    if (request.call)
        return {.verb = method == "GET" ? "get" : "update",
                .group = subresources_group,
                .resource = request.call->kind->plural,
                .subresource = request.call->verb,
                .name_space = request.call->name_space,
                .name = request.call->name};
    const auto& place = *request.place;
    return {.verb = verb_of(request, method, !place.name.empty()),
            .group = place.kind->group,
            .resource = place.kind->plural,
            .subresource = place.status ? "status" : "",
            .name_space = place.name_space,
            .name = place.name,
            .namespaced = place.kind->namespaced()};
}

std::expected<WriteOptions, Answer> write_options(const Request& request) {
    WriteOptions options;
    const auto dry_run = parse_dry_run(request.parameter("dryRun"));
    if (!dry_run) return Refused{bad_parameter("dryRun", request.parameter("dryRun"))};
    options.dry_run = *dry_run;
    const auto validation = request.parameter("fieldValidation");
    if (validation == "Warn") {
        options.validation = FieldValidation::warn;
    } else if (validation == "Ignore") {
        options.validation = FieldValidation::ignore;
    } else if (!validation.empty() && validation != "Strict") {
        return Refused{bad_parameter("fieldValidation", validation)};
    }
    return options;
}

std::expected<ListOptions, Answer> list_options(const Request& request) {
    auto selector = Selector::parse(*request.place->kind, request.parameter("labelSelector"),
                                    request.parameter("fieldSelector"));
    if (!selector) return Refused{bad_request(selector.error().text())};
    ListOptions options;
    options.selector = *std::move(selector);
    options.token = request.parameter("continue");
    if (const auto limit = request.parameter("limit"); !limit.empty()) {
        const auto number = parse_number(limit);
        if (!number) return Refused{bad_parameter("limit", limit)};
        options.limit = *number;
    }
    const auto revision = request.parameter("resourceVersion");
    const auto match = request.parameter("resourceVersionMatch");
    if (!match.empty() && match != "Exact" && match != "NotOlderThan")
        return Refused{bad_parameter("resourceVersionMatch", match)};
    if (!revision.empty() && !parse_number(revision))
        return Refused{bad_parameter("resourceVersion", revision)};
    // What is newest is not older than anything that a client has seen.
    if (match == "Exact") options.at = parse_number(revision).value_or(0);
    return options;
}

std::expected<LogOptions, Answer> log_options(const Request& request) {
    LogOptions options{.follow = request.is_set("follow"), .lines = {}};
    const auto lines = request.parameter("tailLines");
    if (lines.empty()) return options;
    options.lines = parse_number(lines);
    if (!options.lines) return Refused{bad_parameter("tailLines", lines)};
    return options;
}

std::expected<DeleteOptions, Answer> delete_options(const Request& request, std::string_view body) {
    DeleteOptions options;
    Json document;
    if (!body.empty()) {
        auto parsed = Json::parse(body);
        if (!parsed) return Refused{bad_request(parsed.error().text())};
        document = *std::move(parsed);
    }
    auto policy = request.parameter("propagationPolicy");
    if (policy.empty()) policy = document.text_at({"propagationPolicy"});
    if (!policy.empty() && policy != "Background" && policy != "Foreground" && policy != "Orphan")
        return Refused{bad_parameter("propagationPolicy", policy)};
    if (policy == "Foreground") options.propagation = Propagation::foreground;
    if (policy == "Orphan") options.propagation = Propagation::orphan;
    const auto dry_run = parse_dry_run(request.parameter("dryRun"));
    if (!dry_run) return Refused{bad_parameter("dryRun", request.parameter("dryRun"))};
    const auto* in_body = document.find("dryRun");
    options.dry_run = *dry_run || (in_body && in_body->array() && !in_body->array()->empty());
    options.uid = document.text_at({"preconditions", "uid"});
    options.revision = document.text_at({"preconditions", "resourceVersion"});
    return options;
}

std::expected<Json, Answer> object_body(const http::ReceivedRequest& received, const Kind& kind) {
    const auto type = media_type(received.header("Content-Type"));
    if (type == protobuf_media_type) return object_of_protobuf(received.body, kind);
    if (!type.empty() && type != "application/json")
        return Refused{
            failure(415, "UnsupportedMediaType",
                    fmt::format("{}: only application/json is understood", json::in_quotes(type)))};
    auto parsed = Json::parse(received.body);
    if (!parsed) return Refused{bad_request(parsed.error().text())};
    return *std::move(parsed);
}

std::expected<Patch, Answer> parse_patch(const http::ReceivedRequest& received,
                                         const Request& request) {
    const auto& kind = *request.place->kind;
    const auto type = media_type(received.header("Content-Type"));
    Patch patch;
    if (type == "application/apply-patch+yaml" && !request.place->status) {
        patch.type = PatchType::apply;
        patch.manager = request.parameter("fieldManager");
        patch.force = request.is_set("force");
        if (patch.manager.empty() || patch.manager.size() > longest_manager)
            return Refused{bad_request("fieldManager is required for apply patch")};
    } else if (type == "application/json-patch+json") {
        patch.type = PatchType::json;
    } else if (type == "application/strategic-merge-patch+json" && kind.group.empty()) {
        patch.type = PatchType::strategic;
    } else if (type != "application/merge-patch+json") {
        const auto also = kind.group.empty() ? ", application/strategic-merge-patch+json" : "";
        return Refused{failure(
            415, "UnsupportedMediaType",
            fmt::format("the body of the request was in an unknown format - accepted media types "
                        "include: application/json-patch+json, application/merge-patch+json, "
                        "application/apply-patch+yaml{}",
                        also))};
    }
    auto parsed = Json::parse(received.body);
    if (!parsed) return Refused{bad_request(parsed.error().text())};
    patch.document = *std::move(parsed);
    if (patch.type == PatchType::apply && !patch.document.object())
        return Refused{bad_request("what is applied is an object")};
    return patch;
}

}  // namespace sheaf::api
