#include "api/protobuf_body.h"

#include <optional>

#include <fmt/core.h>

#include "api/kinds.h"
#include "base/base64.h"
#include "base/utf8.h"

namespace sheaf::api {

namespace {

using Refused = std::unexpected<Answer>;

// The envelope of Kubernetes: four bytes, then a message "Unknown" (k8s.io/apimachinery, runtime).
constexpr std::string_view magic{"k8s\0", 4};

// The encoding of protobuf: a number and a kind before each field.
constexpr unsigned kind_number = 0;
constexpr unsigned kind_bytes = 2;

struct Part {
    std::uint64_t number = 0;
    std::string_view bytes;  // of one of bytes
    std::uint64_t value = 0;
};

// One message, field by field. What is no message ends it as broken.
class Message {
  public:
    explicit Message(std::string_view text) : rest_(text) {}

    std::optional<Part> next() {
        if (rest_.empty() || broken_) return {};
        const auto tag = number();
        Part field{.number = tag >> 3};
        if (broken_ || field.number == 0) return end();
        if ((tag & 7) == kind_number) {
            field.value = number();
        } else if ((tag & 7) == kind_bytes) {
            const auto size = number();
            if (size > rest_.size()) return end();
            field.bytes = rest_.substr(0, size);
            rest_.remove_prefix(size);
        } else {
            return end();
        }
        if (broken_) return {};
        return field;
    }
    bool is_broken() const { return broken_; }

  private:
    std::optional<Part> end() {
        broken_ = true;
        return {};
    }
    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
            const auto byte = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            value |= std::uint64_t{byte & 0x7fU} << shift;
            if (byte < 0x80) return value;
        }
        broken_ = true;
        return 0;
    }

    std::string_view rest_;
    bool broken_ = false;
};

bool is_text(std::string_view text) {
    while (!text.empty()) {
        const auto length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

// What was read so far, and why it cannot go on.
struct Reading {
    bool broken = false;
    std::string lost;  // the field that is not known
};

std::string text_of(const Part& field, Reading& reading) {
    if (!is_text(field.bytes)) reading.broken = true;
    return std::string{field.bytes};
}

// An entry of a map: 1 the name, 2 the value.
std::pair<std::string, std::string> entry_of(const Part& field, Reading& reading) {
    std::pair<std::string, std::string> entry;
    Message message{field.bytes};
    while (const auto part = message.next()) {
        if (part->number == 1) entry.first = text_of(*part, reading);
        if (part->number == 2) entry.second = part->bytes;
    }
    reading.broken |= message.is_broken();
    return entry;
}

void add_text(Json& into, std::string_view member, const Part& field, Reading& reading) {
    auto [name, value] = entry_of(field, reading);
    if (!is_text(value)) reading.broken = true;
    into[member][name] = std::move(value);
}

void add_bytes(Json& into, std::string_view member, const Part& field, Reading& reading) {
    auto [name, value] = entry_of(field, reading);
    into[member][name] = to_base64(value);
}

void unknown(std::string_view message, const Part& field, Reading& reading) {
    // Clients send every field that has no value as an empty one.
    if (field.bytes.empty() && field.value == 0) return;
    reading.lost = fmt::format("field {} of {}", field.number, message);
}

// k8s.io/apimachinery, meta/v1, ObjectMeta.
Json metadata_of(std::string_view bytes, Reading& reading) {
    auto metadata = Json::object({});
    Message message{bytes};
    while (const auto field = message.next()) {
        const auto text = [&](std::string_view name) {
            if (!field->bytes.empty()) metadata[name] = text_of(*field, reading);
        };
        switch (field->number) {
            case 1: text("name"); break;
            case 2: text("generateName"); break;
            case 3: text("namespace"); break;
            // What is the server's own is dropped in any form.
            case 4:
            case 5:
            case 6:
            case 7:
            case 8:
            case 9:
            case 10:
            case 17: break;
            case 11: add_text(metadata, "labels", *field, reading); break;
            case 12: add_text(metadata, "annotations", *field, reading); break;
            default: unknown("metadata", *field, reading);
        }
    }
    reading.broken |= message.is_broken();
    return metadata;
}

// k8s.io/api, core/v1, Namespace: its spec and status are the server's.
Json namespace_of(std::string_view bytes, Reading& reading) {
    auto object = Json::object({});
    Message message{bytes};
    while (const auto field = message.next()) {
        if (field->number == 1) object["metadata"] = metadata_of(field->bytes, reading);
        if (field->number == 2) unknown("a Namespace", *field, reading);
        if (field->number > 3) unknown("a Namespace", *field, reading);
    }
    reading.broken |= message.is_broken();
    return object;
}

// k8s.io/api, core/v1, Secret.
Json secret_of(std::string_view bytes, Reading& reading) {
    auto object = Json::object({});
    Message message{bytes};
    while (const auto field = message.next()) {
        switch (field->number) {
            case 1: object["metadata"] = metadata_of(field->bytes, reading); break;
            case 2: add_bytes(object, "data", *field, reading); break;
            case 3:
                if (!field->bytes.empty()) object["type"] = text_of(*field, reading);
                break;
            case 4: add_text(object, "stringData", *field, reading); break;
            case 5: object["immutable"] = field->value != 0; break;
            default: unknown("a Secret", *field, reading);
        }
    }
    reading.broken |= message.is_broken();
    return object;
}

struct Envelope {
    std::string api_version;
    std::string kind;
    std::string_view object;
    bool encoded = false;  // once more
};

Envelope open_envelope(std::string_view text, Reading& reading) {
    Envelope envelope;
    Message message{text};
    while (const auto field = message.next()) {
        if (field->number == 2) envelope.object = field->bytes;
        if (field->number == 3 && !field->bytes.empty()) envelope.encoded = true;
        if (field->number != 1) continue;
        Message type{field->bytes};
        while (const auto part = type.next()) {
            if (part->number == 1) envelope.api_version = text_of(*part, reading);
            if (part->number == 2) envelope.kind = text_of(*part, reading);
        }
        reading.broken |= type.is_broken();
    }
    reading.broken |= message.is_broken();
    return envelope;
}

}  // namespace

std::expected<Json, Answer> object_of_protobuf(std::string_view text, const Kind& kind) {
    if (&kind != &namespace_kind && &kind != &secret_kind)
        return Refused{failure(415, "UnsupportedMediaType",
                               fmt::format("{}: of this kind only application/json is understood",
                                           protobuf_media_type))};
    if (!text.starts_with(magic)) return Refused{bad_request("the body is no object in protobuf")};
    Reading reading;
    const auto envelope = open_envelope(text.substr(magic.size()), reading);
    auto object = &kind == &namespace_kind ? namespace_of(envelope.object, reading)
                                           : secret_of(envelope.object, reading);
    if (reading.broken || envelope.encoded)
        return Refused{bad_request("the body is no object in protobuf")};
    if (!reading.lost.empty())
        return Refused{bad_request(
            fmt::format("{} is not understood in protobuf: send it as JSON", reading.lost))};
    object["apiVersion"] = envelope.api_version;
    object["kind"] = envelope.kind;
    return object;
}

}  // namespace sheaf::api
