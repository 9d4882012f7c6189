#include "api/schema_check.h"

#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "api/names.h"
#include "base/json_path.h"

namespace sheaf::api {

namespace {

constexpr std::size_t most_causes = 100;
constexpr std::size_t most_annotation_bytes = 256 << 10;
constexpr std::size_t largest_list = 1000;

constexpr auto owner_fields = std::to_array<Field>({
    {.name = "apiVersion", .description = "of the owner", .need = Need::required},
    {.name = "kind", .description = "of the owner", .need = Need::required},
    {.name = "name", .description = "of the owner", .need = Need::required},
    {.name = "uid", .description = "of the owner", .need = Need::required},
    {.name = "controller", .type = Type::boolean, .description = "whether it is in charge"},
    {.name = "blockOwnerDeletion", .type = Type::boolean, .description = "kept, without effect"},
});
constexpr auto fields_of_metadata = std::to_array<Field>({
    {.name = "name", .description = "unique among the kind in its namespace"},
    {.name = "generateName", .description = "the beginning of a name that is made"},
    {.name = "namespace", .description = "that the object is in"},
    {.name = "labels", .type = Type::texts, .description = "words to select by"},
    {.name = "annotations", .type = Type::texts, .description = "words of others"},
    {.name = "finalizers", .description = "who must agree to its end", .count = Count::list},
    {.name = "ownerReferences",
     .type = Type::object,
     .description = "whose part it is",
     .fields = owner_fields,
     .count = Count::list},
    {.name = "uid", .description = "unique for all time; the server's"},
    {.name = "resourceVersion", .description = "of this state; the server's"},
    {.name = "generation", .type = Type::integer, .description = "of spec; the server's"},
    {.name = "creationTimestamp", .type = Type::time, .description = "the server's"},
    {.name = "deletionTimestamp", .type = Type::time, .description = "the server's"},
    {.name = "deletionGracePeriodSeconds", .type = Type::integer, .description = "the server's"},
    {.name = "selfLink", .description = "kept by nobody"},
    {.name = "managedFields",
     .type = Type::anything,
     .description = "kept by nobody",
     .count = Count::list},
});

// One walk over one object.
class Check {
  public:
    Check(std::vector<UnknownField>& unknown, Causes& causes)
        : unknown_(unknown), causes_(causes) {}

    void members(std::span<const Field> fields, Json& object, const std::string& path);
    void refuse(Reason reason, const std::string& path, std::string message) {
        if (causes_.size() < most_causes) causes_.push_back({reason, path, std::move(message)});
    }

  private:
    void value(const Field& field, Json& value, const std::string& path);
    void one(const Field& field, Json& value, const std::string& path);
    void text(const Field& field, const Json& value, const std::string& path);
    void integer(const Field& field, const Json& value, const std::string& path);
    void texts(const Json& value, const std::string& path);
    void wanted(std::string_view what, const Json& value, const std::string& path) {
        refuse(Reason::type_invalid, path,
               fmt::format("Invalid value: {} is needed, not {}", what, value.type_name()));
    }

    std::vector<UnknownField>& unknown_;
    Causes& causes_;
};

std::string below(const std::string& path, std::string_view name) {
    const auto shown = name.substr(0, 100);
    return path.empty() ? std::string{shown} : fmt::format("{}.{}", path, shown);
}

void Check::members(std::span<const Field> fields, Json& object, const std::string& path) {
    auto& members = *object.object();
    std::erase_if(members, [](const auto& member) { return member.value.is_null(); });
    for (auto& member : members) {
        const auto field = std::ranges::find(fields, member.name, &Field::name);
        const auto place = below(path, member.name);
        if (field != fields.end()) {
            value(*field, member.value, place);
        } else if (unknown_.size() < most_causes) {
            unknown_.push_back({place, fields});
        }
    }
    std::erase_if(members, [&](const auto& member) {
        return std::ranges::find(fields, member.name, &Field::name) == fields.end();
    });
    for (const auto& field : fields)
        if (field.need == Need::required && !object.find(field.name))
            refuse(Reason::required, below(path, field.name), "Required value");
}

void Check::value(const Field& field, Json& value, const std::string& path) {
    if (field.count == Count::one) return one(field, value, path);
    auto* elements = value.array();
    if (!elements) return wanted("an array", value, path);
    if (elements->size() > largest_list)
        return refuse(Reason::invalid, path,
                      fmt::format("Too many: at most {} are kept", largest_list));
    for (std::size_t index = 0; index < elements->size(); ++index)
        one(field, (*elements)[index], fmt::format("{}[{}]", path, index));
}

void Check::one(const Field& field, Json& value, const std::string& path) {
    switch (field.type) {
        case Type::text: return text(field, value, path);
        case Type::integer: return integer(field, value, path);
        case Type::boolean:
            if (!value.boolean()) wanted("a boolean", value, path);
            return;
        case Type::quantity: {
            const auto* word = value.string();
            if (word ? !is_quantity(*word) : value.integer().value_or(-1) < 0)
                refuse(Reason::invalid, path,
                       "Invalid value: a quantity is needed, as 2 or \"512Mi\"");
            return;
        }
        case Type::time:
            if (!value.string() || !is_time(*value.string()))
                refuse(Reason::invalid, path,
                       "Invalid value: a time is needed, as \"2026-01-31T12:00:00Z\"");
            return;
        case Type::texts: return texts(value, path);
        case Type::object:
            if (!value.object()) return wanted("an object", value, path);
            return members(field.fields, value, path);
        case Type::anything:
            if (!value.object()) wanted("an object", value, path);
            return;
    }
}

void Check::text(const Field& field, const Json& value, const std::string& path) {
    const auto* word = value.string();
    if (!word) return wanted("a string", value, path);
    if (field.choices.empty() || std::ranges::find(field.choices, *word) != field.choices.end())
        return;
    refuse(Reason::not_supported, path,
           fmt::format("Unsupported value: {}: supported values: \"{}\"", json::in_quotes(*word),
                       fmt::join(field.choices, "\", \"")));
}

void Check::integer(const Field& field, const Json& value, const std::string& path) {
    const auto number = value.integer();
    if (!number) return wanted("an integer", value, path);
    if (*number < field.least || *number > field.most)
        refuse(Reason::invalid, path,
               fmt::format("Invalid value: {}: must be between {} and {}", *number, field.least,
                           field.most));
}

void Check::texts(const Json& value, const std::string& path) {
    const auto* members = value.object();
    if (!members) return wanted("an object", value, path);
    for (const auto& member : *members)
        if (!member.value.string()) wanted("a string", member.value, below(path, member.name));
}

void check_labels(const Json& metadata, Check& check) {
    const auto* labels = metadata.find("labels");
    if (!labels || !labels->object()) return;
    for (const auto& [name, value] : *labels->object()) {
        if (!is_qualified_name(name))
            check.refuse(Reason::invalid, "metadata.labels",
                         fmt::format("Invalid value: {}: the name of a label is up to 63 letters, "
                                     "digits, '-', '_' and '.', with an optional prefix and '/'",
                                     json::in_quotes(name)));
        if (const auto* word = value.string(); word && !is_label_value(*word))
            check.refuse(Reason::invalid, "metadata.labels",
                         fmt::format("Invalid value: {}: the value of a label is empty or up to "
                                     "63 letters, digits, '-', '_' and '.'",
                                     json::in_quotes(*word)));
    }
}

void check_annotations(const Json& metadata, Check& check) {
    const auto* annotations = metadata.find("annotations");
    if (!annotations || !annotations->object()) return;
    std::size_t bytes = 0;
    for (const auto& [name, value] : *annotations->object()) {
        bytes += name.size() + (value.string() ? value.string()->size() : 0);
        if (!is_qualified_name(name))
            check.refuse(
                Reason::invalid, "metadata.annotations",
                fmt::format("Invalid value: {}: no name of an annotation", json::in_quotes(name)));
    }
    if (bytes > most_annotation_bytes)
        check.refuse(Reason::invalid, "metadata.annotations",
                     fmt::format("Too long: at most {} bytes are kept", most_annotation_bytes));
}

}  // namespace

std::span<const Field> metadata_fields() {
    return fields_of_metadata;
}

void check_fields(const Kind& kind, Json& object, std::vector<UnknownField>& unknown,
                  Causes& causes) {
    Check check{unknown, causes};
    auto rest = Json::object({});
    for (auto& member : *object.object())
        if (member.name != "apiVersion" && member.name != "kind" && member.name != "metadata")
            rest[member.name] = std::move(member.value);
    check.members(kind.fields, rest, {});
    auto metadata = object.find("metadata") ? std::move(*object.find("metadata")) : Json{};
    object = Json::object({{"metadata", std::move(metadata)}});
    for (auto& member : *rest.object()) object[member.name] = std::move(member.value);
}

void check_metadata(const Kind& kind, Json& metadata, std::vector<UnknownField>& unknown,
                    Causes& causes) {
    Check check{unknown, causes};
    check.members(fields_of_metadata, metadata, "metadata");
    const auto name = metadata.text_at({"name"});
    const auto generated = metadata.text_at({"generateName"});
    const auto fits = &kind == &namespace_kind ? is_label(name) : is_subdomain(name);
    if (name.empty() && generated.empty()) {
        check.refuse(Reason::required, "metadata.name",
                     "Required value: name or generateName is required");
    } else if (!name.empty() && !fits) {
        check.refuse(Reason::invalid, "metadata.name",
                     fmt::format("Invalid value: {}: a name is of lower case letters, digits, '-' "
                                 "or '.', begins and ends with a letter or digit, and has at "
                                 "most {} bytes",
                                 json::in_quotes(name), &kind == &namespace_kind ? 63 : 253));
    }
    check_labels(metadata, check);
    check_annotations(metadata, check);
    if (const auto* finalizers = metadata.find("finalizers"); finalizers && finalizers->array())
        for (const auto& finalizer : *finalizers->array())
            if (finalizer.string() && !is_qualified_name(*finalizer.string()))
                check.refuse(Reason::invalid, "metadata.finalizers",
                             fmt::format("Invalid value: {}: no qualified name",
                                         json::in_quotes(*finalizer.string())));
}

}  // namespace sheaf::api
