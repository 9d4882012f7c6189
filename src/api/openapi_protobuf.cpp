// gnostic's OpenAPIv2.proto, as far as clients look: the numbers are those of its messages. The
// wire format (varints, lengths before what has one) is forty lines; a library would be a megabyte.

#include <initializer_list>

#include "api/openapi.h"

namespace sheaf::api {

namespace {

class Message {
  public:
    void text(unsigned field, std::string_view value) {
        varint(field << 3 | 2);
        varint(value.size());
        bytes_ += value;
    }
    void message(unsigned field, const Message& value) { text(field, value.bytes_); }
    std::string take() { return std::move(bytes_); }

    // Where the document has it.
    void text(unsigned field, const Json* value) {
        if (value && value->string()) text(field, std::string_view{*value->string()});
    }

  private:
    void varint(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
        bytes_ += static_cast<char>(value);
    }
    std::string bytes_;
};

// NamedAny, NamedSchema, NamedPathItem: a name and what it names.
Message named(std::string_view name, const Message& value) {
    Message pair;
    pair.text(1, name);
    pair.message(2, value);
    return pair;
}

// Any: JSON is YAML too.
Message any(const Json& value) {
    Message message;
    message.text(2, std::string_view{value.text()});
    return message;
}

void add_extensions(Message& message, unsigned field, const Json& document) {
    for (const auto& [name, value] : *document.object())
        if (name.starts_with("x-")) message.message(field, named(name, any(value)));
}

Message schema(const Json& document);

Message properties(const Json& document) {
    Message message;
    for (const auto& [name, value] : *document.object())
        message.message(1, named(name, schema(value)));
    return message;
}

void add_below(Message& message, unsigned field, const Json* document) {
    if (!document) return;
    Message item;
    item.message(1, schema(*document));
    message.message(field, item);
}

Message schema(const Json& document) {
    Message message;
    message.text(1, document.find("$ref"));
    message.text(2, document.find("format"));
    message.text(4, document.find("description"));
    if (const auto* required = document.find("required"))
        for (const auto& name : *required->array()) message.text(19, &name);
    if (const auto* choices = document.find("enum"))
        for (const auto& choice : *choices->array()) message.message(20, any(choice));
    add_below(message, 21, document.find("additionalProperties"));
    if (const auto* type = document.find("type")) {
        Message item;
        item.text(1, type);
        message.message(22, item);
    }
    add_below(message, 23, document.find("items"));
    if (const auto* members = document.find("properties"))
        message.message(25, properties(*members));
    add_extensions(message, 31, document);
    return message;
}

// ParametersItem of a Parameter of a NonBodyParameter of a QueryParameterSubSchema.
Message query_parameter(const Json& document) {
    Message query;
    query.text(2, document.find("in"));
    query.text(4, document.find("name"));
    query.text(6, document.find("type"));
    Message non_body;
    non_body.message(3, query);
    Message parameter;
    parameter.message(2, non_body);
    Message item;
    item.message(1, parameter);
    return item;
}

Message operation(const Json& document) {
    Message message;
    message.text(5, document.find("operationId"));
    for (const auto& parameter : *document.find("parameters")->array())
        if (parameter.text_at({"in"}) == "query") message.message(8, query_parameter(parameter));
    add_extensions(message, 13, document);
    return message;
}

// Clients ask the paths whether a patch can be tried.
Message paths(const Json& document) {
    Message message;
    for (const auto& [path, item] : *document.object()) {
        const auto* patch = item.find("patch");
        if (!patch) continue;
        Message path_item;
        path_item.message(8, operation(*patch));
        message.message(2, named(path, path_item));
    }
    return message;
}

}  // namespace

std::string openapi_v2_protobuf() {
    const auto document = openapi_v2();
    Message message;
    message.text(1, document.find("swagger"));
    Message info;
    info.text(1, document.at({"info", "title"}));
    info.text(2, document.at({"info", "version"}));
    message.message(2, info);
    message.message(8, paths(*document.find("paths")));
    message.message(9, properties(*document.find("definitions")));
    return message.take();
}

}  // namespace sheaf::api
