#include "api/answer.h"

#include <fmt/core.h>

namespace sheaf::api {

namespace {

std::string joined(const Causes& causes) {
    std::string text;
    for (const auto& cause : causes) {
        if (!text.empty()) text += ", ";
        text += cause.field + ": " + cause.message;
    }
    return causes.size() > 1 ? "[" + text + "]" : text;
}

std::string resource_of(const Subject& subject) {
    return subject.kind ? subject.kind->resource() : "objects";
}

Json details_of(const Subject& subject, const Causes& causes) {
    auto details = Json::object({});
    if (!subject.name.empty()) details["name"] = subject.name;
    if (subject.kind) {
        if (!subject.kind->group.empty()) details["group"] = subject.kind->group;
        details["kind"] = subject.kind->plural;
    }
    if (causes.empty()) return details;
    Json::Array list;
    for (const auto& cause : causes)
        list.push_back(Json::object({{"reason", word_of(cause.reason)},
                                     {"message", cause.message},
                                     {"field", cause.field}}));
    details["causes"] = std::move(list);
    return details;
}

}  // namespace

std::string_view word_of(Reason reason) {
    switch (reason) {
        case Reason::invalid: return "FieldValueInvalid";
        case Reason::required: return "FieldValueRequired";
        case Reason::not_supported: return "FieldValueNotSupported";
        case Reason::duplicate: return "FieldValueDuplicate";
        case Reason::forbidden: return "FieldValueForbidden";
        case Reason::type_invalid: break;
    }
    return "FieldValueTypeInvalid";
}

Json status_document(unsigned code, std::string_view reason, std::string message,
                     const Subject& subject, const Causes& causes) {
    auto document = Json::object({{"kind", "Status"},
                                  {"apiVersion", "v1"},
                                  {"metadata", Json::object({})},
                                  {"status", code < 400 ? "Success" : "Failure"}});
    if (!message.empty()) document["message"] = std::move(message);
    if (!reason.empty()) document["reason"] = reason;
    if (auto details = details_of(subject, causes); !details.object()->empty())
        document["details"] = std::move(details);
    document["code"] = std::uint64_t{code};
    return document;
}

Answer failure(unsigned code, std::string_view reason, std::string message, const Subject& subject,
               const Causes& causes) {
    const auto document = status_document(code, reason, std::move(message), subject, causes);
    return {.status = code, .body = document.text(), .warnings = {}};
}

Answer not_found(const Subject& subject) {
    return failure(404, "NotFound",
                   fmt::format("{} \"{}\" not found", resource_of(subject), subject.name), subject);
}

Answer invalid(const Subject& subject, const Causes& causes) {
    auto kind = std::string{subject.kind->name};
    if (!subject.kind->group.empty()) kind += "." + std::string{subject.kind->group};
    return failure(422, "Invalid",
                   fmt::format("{} \"{}\" is invalid: {}", kind, subject.name, joined(causes)),
                   subject, causes);
}

Answer bad_request(std::string message) {
    return failure(400, "BadRequest", std::move(message));
}

Answer conflict(const Subject& subject, std::string_view why) {
    return failure(409, "Conflict",
                   fmt::format("Operation cannot be fulfilled on {} \"{}\": {}",
                               resource_of(subject), subject.name, why),
                   subject);
}

Answer failure(const Error& error) {
    switch (error.kind()) {
        case sheaf::Kind::not_found: return failure(410, "Expired", error.text());
        case sheaf::Kind::conflict: return failure(409, "Conflict", error.text());
        case sheaf::Kind::exhausted: return failure(413, "RequestEntityTooLarge", error.text());
        case sheaf::Kind::invalid: return failure(400, "BadRequest", error.text());
        case sheaf::Kind::unavailable: return failure(503, "ServiceUnavailable", error.text());
        case sheaf::Kind::timed_out: return failure(504, "Timeout", error.text());
        default: return failure(500, "InternalError", error.text());
    }
}

}  // namespace sheaf::api
