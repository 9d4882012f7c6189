#pragma once

// Why: what a method, a path, parameters and headers ask for, as one value that can be tested
// without a connection.

#include "api/access_policy.h"
#include "api/machine_verbs.h"
#include "api/objects.h"
#include "api/table.h"
#include "http/request_parser.h"
#include "http/target.h"

namespace sheaf::api {

// In which form the answer is wanted.
struct Form {
    bool table = false;
    Include include = Include::metadata;
    bool protobuf = false;  // of the OpenAPI document
};

struct Request {
    http::Target target;
    Form form;
    std::optional<Place> place;       // of objects
    std::optional<MachineCall> call;  // a verb of a machine; neither: a document of the server's

    std::string_view parameter(std::string_view name) const {
        return target.parameter(name).value_or(std::string_view{});
    }
    bool is_set(std::string_view name) const {
        const auto value = parameter(name);
        return value == "true" || value == "1";
    }
};

// 400 where the target makes no sense, 404 where there is nothing of that kind, 406 where nothing
// that the client takes can be given.
std::expected<Request, Answer> parse_request(const http::ReceivedRequest& received);

// What the request, of this method, does, in words that access is decided by. They are the
// request's.
Deed deed_of(const Request& request, std::string_view method);

// The parameters of each verb; 400 where they make no sense.
std::expected<WriteOptions, Answer> write_options(const Request& request);
std::expected<ListOptions, Answer> list_options(const Request& request);
std::expected<LogOptions, Answer> log_options(const Request& request);
// `body` may be empty.
std::expected<DeleteOptions, Answer> delete_options(const Request& request, std::string_view body);

// An object of the kind, in JSON, or in protobuf where the kind is known in it (protobuf_body.h);
// 415 where the body says that it is something else.
std::expected<Json, Answer> object_body(const http::ReceivedRequest& received, const Kind& kind);
// The media type alone, in lower case.
std::string media_type(std::string_view header);
// 415 for a form of patch that is not taken there.
std::expected<Patch, Answer> parse_patch(const http::ReceivedRequest& received,
                                         const Request& request);

}  // namespace sheaf::api
