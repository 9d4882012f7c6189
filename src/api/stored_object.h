#pragma once

// Why: how an object lies in the store (docs/api.md, Storage): one record, its text such that what
// the server adds is put in front without taking it apart, so lists cost little.

#include "api/kind.h"
#include "store/kv.h"

namespace sheaf::api {

// Where the objects of a kind are: all of them, or those of a namespace.
std::string prefix_of(const Kind& kind, std::string_view name_space = {});
std::string key_of(const Kind& kind, std::string_view name_space, std::string_view name);

// What is stored of an object: without apiVersion, kind and resourceVersion, metadata first.
std::string stored_text(Json object);

// The whole object as JSON. Fails with corrupt where the record was not made by stored_text().
Result<std::string> published_text(const Kind& kind, const kv::Record& record);
// The same with another revision: of what was deleted then.
Result<std::string> published_text(const Kind& kind, const kv::Record& record,
                                   kv::Revision revision);
Result<Json> published_object(const Kind& kind, const kv::Record& record);

}  // namespace sheaf::api
