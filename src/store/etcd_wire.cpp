#include "store/etcd_wire.h"

#include "base/base64.h"
#include "base/json_path.h"
#include "store/etcd_value.h"

namespace sheaf::kv::etcd {

namespace {

Result<Header> header_of(const Object& answer) {
    const auto header = TRY(answer.object("header"));
    return Header{TRY(header.number("cluster_id")), TRY(header.number("revision"))};
}

Result<Record> record_of(const Object& value) {
    Record record{.key = TRY(value.bytes("key")),
                  .value = TRY(value.bytes("value")),
                  .created = TRY(value.number("create_revision")),
                  .modified = TRY(value.number("mod_revision")),
                  .lease = TRY(value.number("lease"))};
    if (record.key.empty() || record.modified == 0)
        return fail(Kind::corrupt,
                    "an answer that is not etcd's: a record without key or revision");
    return record;
}

Result<Change> change_of(const Object& event) {
    const auto type = TRY(event.text("type"));
    const auto deleted = type == "DELETE";
    if (!deleted && !type.empty() && type != "PUT")
        return fail(Kind::corrupt, "an answer that is not etcd's: an event of type {}",
                    json::in_quotes(type));
    auto record = TRY(record_of(TRY(event.object("kv"))));
    Change change{.key = record.key, .revision = record.modified, .now = {}, .before = {}};
    if (!deleted) change.now = std::move(record);
    if (event.find("prev_kv")) change.before = TRY(record_of(TRY(event.object("prev_kv"))));
    return change;
}

// Codes of gRPC, as the gateway passes them on.
Kind kind_of(std::uint64_t code, std::string_view reason) {
    switch (code) {
        case 3:
        case 9: return Kind::invalid;
        case 5: return Kind::not_found;
        case 7:
        case 16: return Kind::denied;
        case 8: return Kind::exhausted;
        // Of a revision: compacted, or yet to come.
        case 11: return reason.find("compacted") == reason.npos ? Kind::invalid : Kind::not_found;
        case 12: return Kind::unsupported;
        case 15: return Kind::corrupt;
        default: return Kind::unavailable;
    }
}

Result<Error> told_error(const Object& error, std::string_view code_name) {
    auto reason = TRY(error.text("message"));
    if (reason.empty()) reason = TRY(error.text("error"));
    const auto code = TRY(error.number(code_name));
    return Error{kind_of(code, reason), "etcd says " + json::in_quotes(reason)};
}

Result<LeaseAnswer> lease_of(const Object& answer) {
    const auto ttl = TRY(answer.number("TTL"));
    if (ttl > static_cast<std::uint64_t>(std::chrono::seconds::max().count()) / 1000'000'000)
        return fail(Kind::corrupt, "an answer that is not etcd's: a lease of {} s", ttl);
    return LeaseAnswer{TRY(header_of(answer)), TRY(answer.number("ID")),
                       std::chrono::seconds{static_cast<std::int64_t>(ttl)}};
}

Failure failure_told(const Object& error, std::string_view code_name) {
    auto told = told_error(error, code_name);
    if (!told) return Failure{std::move(told).error()};
    return Failure{*std::move(told)};
}

}  // namespace

Result<RangeAnswer> parse_range(std::string_view text) {
    const auto tree = TRY(parse_answer(text));
    const auto answer = TRY(Object::of(tree));
    RangeAnswer range{TRY(header_of(answer)), {}, TRY(answer.flag("more"))};
    for (const auto& value : TRY(answer.objects("kvs")))
        range.records.push_back(TRY(record_of(value)));
    return range;
}

Result<CommitAnswer> parse_commit(std::string_view text) {
    const auto tree = TRY(parse_answer(text));
    const auto answer = TRY(Object::of(tree));
    CommitAnswer commit{TRY(header_of(answer)), TRY(answer.flag("succeeded")), {}};
    if (commit.header.revision == 0)
        return fail(Kind::corrupt, "an answer that is not etcd's: it names no revision");
    if (commit.succeeded) return commit;
    for (const auto& response : TRY(answer.objects("responses"))) {
        const auto range = TRY(response.object("response_range"));
        const auto records = TRY(range.objects("kvs"));
        commit.found.push_back(records.empty() ? 0 : TRY(record_of(records.front())).modified);
    }
    return commit;
}

Result<LeaseAnswer> parse_grant(std::string_view text) {
    const auto tree = TRY(parse_answer(text));
    auto lease = TRY(lease_of(TRY(Object::of(tree))));
    if (lease.id == 0 || lease.ttl == std::chrono::seconds{0})
        return fail(Kind::corrupt, "an answer that is not etcd's: a lease without id or time");
    return lease;
}

Result<LeaseAnswer> parse_renewal(std::string_view text) {
    const auto tree = TRY(parse_answer(text));
    const auto answer = TRY(Object::of(tree));
    if (answer.find("error")) return failure_told(TRY(answer.object("error")), "grpc_code");
    return lease_of(TRY(answer.object("result")));
}

Result<Header> parse_done(std::string_view text) {
    const auto tree = TRY(parse_answer(text));
    return header_of(TRY(Object::of(tree)));
}

Result<WatchAnswer> parse_watch(std::string_view line) {
    const auto tree = TRY(parse_answer(line));
    const auto outer = TRY(Object::of(tree));
    if (outer.find("error")) return failure_told(TRY(outer.object("error")), "grpc_code");
    const auto answer = TRY(outer.object("result"));
    WatchAnswer watch{.header = TRY(header_of(answer)),
                      .changes = {},
                      .fragment = TRY(answer.flag("fragment")),
                      .cancelled = TRY(answer.flag("canceled")),
                      .compacted = TRY(answer.number("compact_revision")),
                      .reason = TRY(answer.text("cancel_reason"))};
    for (const auto& event : TRY(answer.objects("events")))
        watch.changes.push_back(TRY(change_of(event)));
    return watch;
}

Failure failure_of(unsigned status, std::string_view body) {
    const auto tree = parse_json(body);
    if (tree) {
        const auto error = Object::of(*tree);
        if (error && error->find("code")) return failure_told(*error, "code");
    }
    return fail(status >= 500 ? Kind::unavailable : Kind::unsupported,
                "answers with status {}, which is not etcd's", status);
}

}  // namespace sheaf::kv::etcd
