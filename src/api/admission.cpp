#include "api/admission.h"

#include <algorithm>

#include <fmt/core.h>

#include "api/apply.h"
#include "api/schema_check.h"
#include "base/json_path.h"

namespace sheaf::api {

namespace {

using Refused = std::unexpected<Answer>;

Json without(Json object, Json::Names names) {
    for (const auto name : names) object.erase(name);
    return object;
}

std::optional<Answer> check_type(const Kind& kind, const Json& body) {
    for (const auto& [name, wanted] :
         {std::pair{"apiVersion", kind.api_version()}, {"kind", std::string{kind.name}}}) {
        const auto* given = body.find(name);
        if (given && (!given->string() || *given->string() != wanted))
            return bad_request(fmt::format("the {} in the data does not match the expected one: {}",
                                           name, wanted));
    }
    return {};
}

// What the path of the request says and the object does not, the object gets.
std::optional<Answer> settle_names(const Place& place, Json& metadata) {
    const auto name_space = metadata.text_at({"namespace"});
    if (!name_space.empty() && name_space != place.name_space)
        return bad_request(
            "the namespace of the provided object does not match the namespace sent on the "
            "request");
    if (place.kind->namespaced()) {
        metadata["namespace"] = place.name_space;
    } else {
        metadata.erase("namespace");
    }
    if (place.name.empty()) return {};
    const auto name = metadata.text_at({"name"});
    if (!name.empty() && name != place.name)
        return bad_request("the name of the object does not match the name on the URL");
    metadata["name"] = place.name;
    return {};
}

std::string names_of(std::span<const Field> fields) {
    std::string text;
    for (const auto& field : fields) text += (text.empty() ? "" : ", ") + std::string{field.name};
    return text.empty() ? "none" : text;
}

// In Kubernetes' words, and behind the last of one place what there is instead.
std::optional<Answer> report_unknown(const std::vector<UnknownField>& unknown,
                                     const WriteOptions& options,
                                     std::vector<std::string>& warnings) {
    if (unknown.empty() || options.validation == FieldValidation::ignore) return {};
    std::string text;
    Causes causes;
    for (std::size_t index = 0; index < unknown.size(); ++index) {
        const auto& [path, known] = unknown[index];
        auto sentence = fmt::format("unknown field {}", json::in_quotes(path));
        if (index + 1 == unknown.size() || unknown[index + 1].known.data() != known.data())
            sentence += fmt::format(" (there are {})", names_of(known));
        if (options.validation == FieldValidation::warn) warnings.push_back(sentence);
        text += (text.empty() ? "" : ", ") + sentence;
        causes.push_back({Reason::not_supported, path,
                          fmt::format("unknown field: there are {}", names_of(known))});
    }
    if (options.validation == FieldValidation::warn) return {};
    return failure(400, "BadRequest", "strict decoding error: " + text, {}, causes);
}

// Who may not make an object that opens what is the host's may not change one either.
std::optional<Answer> check_reach(const Place& place, const Json& body, const Json* before,
                                  const WriteOptions& options) {
    if (options.may_reach_host || !place.kind->reaches_host) return {};
    if (!place.kind->reaches_host(body)) return {};
    if (before && *before->find("spec") == *body.find("spec")) return {};
    return failure(403, "Forbidden",
                   fmt::format("{} \"{}\" is forbidden: it opens what is of the host, which only "
                               "an admin of the cluster may",
                               place.kind->resource(), body.text_at({"metadata", "name"})),
                   {place.kind, std::string{body.text_at({"metadata", "name"})}});
}

// The checks that new and changed objects have in common. Leaves what is to be kept.
std::optional<Answer> check_object(const Place& place, Json& body, const Json* before,
                                   const WriteOptions& options,
                                   std::vector<std::string>& warnings) {
    std::vector<UnknownField> unknown;
    Causes causes;
    if (place.kind->prepare) place.kind->prepare(body);
    check_fields(*place.kind, body, unknown, causes);
    check_metadata(*place.kind, body["metadata"], unknown, causes);
    if (auto refusal = report_unknown(unknown, options, warnings)) return refusal;
    if (causes.empty() && place.kind->check) place.kind->check(body, before, causes);
    if (causes.empty()) return check_reach(place, body, before, options);
    const auto name = body.text_at({"metadata", "name"});
    return invalid({place.kind, std::string{name}}, causes);
}

// Who applied which part: as an apply says, or without what was changed by another way.
void settle_managed(const Json& before, Json& body, const WriteOptions& options) {
    auto& metadata = body["metadata"];
    const auto* known = before.at({"metadata", "managedFields"});
    if (options.managed) {
        metadata["managedFields"] = *options.managed;
    } else if (known) {
        metadata["managedFields"] = disowned(*known, before, body);
    }
    const auto* kept = metadata.find("managedFields");
    if (kept && kept->array() && kept->array()->empty()) metadata.erase("managedFields");
}

bool is_object_with_metadata(const Json& body) {
    const auto* metadata = body.find("metadata");
    return body.object() && (!metadata || metadata->object() || metadata->is_null());
}

constexpr auto servers_own = {
    "uid",        "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
    "generation", "resourceVersion",   "selfLink",          "managedFields"};

// Metadata begins with the name, so that what is stored is easily read.
Json in_order(Json metadata) {
    auto ordered = Json::object({});
    for (const auto* name : {"name", "namespace", "uid"})
        if (auto* value = metadata.find(name)) ordered[name] = std::move(*value);
    for (auto& member : *metadata.object())
        if (!ordered.find(member.name)) ordered[member.name] = std::move(member.value);
    return ordered;
}

std::optional<Answer> check_preconditions(const Place& place, const Json& before,
                                          const Json& metadata) {
    const auto revision = metadata.text_at({"resourceVersion"});
    if (!revision.empty() && revision != before.text_at({"metadata", "resourceVersion"}))
        return conflict(place.subject(),
                        "the object has been modified; please apply your changes to the latest "
                        "version and try again");
    const auto uid = metadata.text_at({"uid"});
    if (!uid.empty() && uid != before.text_at({"metadata", "uid"}))
        return conflict(place.subject(), "the object of that uid is gone");
    return {};
}

// Who deletes waits for those that are there; more would be never.
std::optional<Answer> check_finalizers(const Place& place, const Json& before, const Json& now) {
    const auto* added = now.at({"metadata", "finalizers"});
    if (!is_terminating(before) || !added || !added->array()) return {};
    const auto* known = before.at({"metadata", "finalizers"});
    for (const auto& finalizer : *added->array())
        if (!known || !known->array() ||
            std::ranges::find(*known->array(), finalizer) == known->array()->end())
            return invalid(place.subject(),
                           {{Reason::forbidden, "metadata.finalizers",
                             "Forbidden: no new finalizers can be added if the object is being "
                             "deleted"}});
    return {};
}

}  // namespace

Admitted admit_new(const Place& place, Json body, const WriteOptions& options, const Birth& birth,
                   std::vector<std::string>& warnings) {
    if (!is_object_with_metadata(body))
        return Refused{bad_request("an object with metadata is needed")};
    if (auto refusal = check_type(*place.kind, body)) return Refused{*std::move(refusal)};
    if (!body["metadata"].object()) body["metadata"] = Json::object({});
    if (!body.text_at({"metadata", "resourceVersion"}).empty())
        return Refused{bad_request("resourceVersion should not be set on objects to be created")};
    for (const auto* name : servers_own) body["metadata"].erase(name);
    if (place.kind->has_status()) body.erase("status");
    if (auto refusal = settle_names(place, body["metadata"])) return Refused{*std::move(refusal)};
    const auto generated = std::string{body.text_at({"metadata", "generateName"})};
    if (!generated.empty() && body.text_at({"metadata", "name"}).empty())
        body["metadata"]["name"] = generated.substr(0, 58) + birth.name_suffix;
    if (auto refusal = check_object(place, body, nullptr, options, warnings))
        return Refused{*std::move(refusal)};
    auto& metadata = body["metadata"];
    metadata["uid"] = birth.uid;
    metadata["generation"] = 1;
    metadata["creationTimestamp"] = birth.time;
    if (options.managed) metadata["managedFields"] = *options.managed;
    metadata = in_order(std::move(metadata));
    return body;
}

Admitted admit_change(const Place& place, const Json& before, Json body,
                      const WriteOptions& options, std::vector<std::string>& warnings) {
    if (!is_object_with_metadata(body))
        return Refused{bad_request("an object with metadata is needed")};
    if (auto refusal = check_type(*place.kind, body)) return Refused{*std::move(refusal)};
    if (!body["metadata"].object()) body["metadata"] = Json::object({});
    if (auto refusal = check_preconditions(place, before, body["metadata"]))
        return Refused{*std::move(refusal)};
    if (place.status) {
        auto changed = before;
        changed["status"] = body["status"];
        body = std::move(changed);
    } else if (place.kind->has_status()) {
        body.erase("status");
        if (const auto* status = before.find("status")) body["status"] = *status;
    }
    for (const auto* name : servers_own) body["metadata"].erase(name);
    if (auto refusal = settle_names(place, body["metadata"])) return Refused{*std::move(refusal)};
    if (auto refusal = check_object(place, body, &before, options, warnings))
        return Refused{*std::move(refusal)};
    if (auto refusal = check_finalizers(place, before, body)) return Refused{*std::move(refusal)};
    auto& metadata = body["metadata"];
    for (const auto* name : servers_own)
        if (const auto* kept = before.at({"metadata", name})) metadata[name] = *kept;
    metadata.erase("resourceVersion");
    settle_managed(before, body, options);
    const Json::Names apart = {"metadata", "status", "apiVersion", "kind"};
    if (without(body, apart) != without(before, apart)) {
        const auto* generation = before.at({"metadata", "generation"});
        metadata["generation"] = generation ? generation->integer().value_or(0) + 1 : 1;
    }
    metadata = in_order(std::move(metadata));
    return body;
}

bool is_terminating(const Json& object) {
    return !object.text_at({"metadata", "deletionTimestamp"}).empty();
}

bool has_finalizers(const Json& object) {
    const auto* finalizers = object.at({"metadata", "finalizers"});
    return finalizers && finalizers->array() && !finalizers->array()->empty();
}

Json terminating(Json object, std::string_view time) {
    auto& metadata = object["metadata"];
    metadata["deletionTimestamp"] = time;
    metadata["deletionGracePeriodSeconds"] = 0;
    const auto* generation = metadata.find("generation");
    metadata["generation"] = generation ? generation->integer().value_or(0) + 1 : 1;
    return object;
}

}  // namespace sheaf::api
