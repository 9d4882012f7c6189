#include "base/base64.h"
#include "base/json.h"
#include "store/etcd_wire.h"
#include "store/limits.h"

namespace sheaf::kv::etcd {

namespace {

// As etcd's own definitions name them (rpc.proto); a 64-bit number is a string in their JSON.
struct Range {
    std::string key;
    std::optional<std::string> range_end;
    std::optional<std::string> limit;
    std::optional<std::string> revision;
    std::optional<bool> keys_only;
};
BOOST_DESCRIBE_STRUCT(Range, (), (key, range_end, limit, revision, keys_only))

struct Put {
    std::string key;
    std::string value;
    std::string lease;
};
BOOST_DESCRIBE_STRUCT(Put, (), (key, value, lease))

struct DeleteRange {
    std::string key;
};
BOOST_DESCRIBE_STRUCT(DeleteRange, (), (key))

struct Operation {
    std::optional<Put> request_put;
    std::optional<DeleteRange> request_delete_range;
    std::optional<Range> request_range;
};
BOOST_DESCRIBE_STRUCT(Operation, (), (request_put, request_delete_range, request_range))

struct Compare {
    std::string key;
    std::string target = "MOD";
    std::string result = "EQUAL";
    std::string mod_revision;
};
BOOST_DESCRIBE_STRUCT(Compare, (), (key, target, result, mod_revision))

struct Txn {
    std::vector<Compare> compare;
    std::vector<Operation> success;
    std::vector<Operation> failure;
};
BOOST_DESCRIBE_STRUCT(Txn, (), (compare, success, failure))

struct WatchCreate {
    std::string key;
    std::string range_end;
    std::string start_revision;
    bool prev_kv = true;
    bool fragment = true;
};
BOOST_DESCRIBE_STRUCT(WatchCreate, (), (key, range_end, start_revision, prev_kv, fragment))

struct Watching {
    WatchCreate create_request;
};
BOOST_DESCRIBE_STRUCT(Watching, (), (create_request))

// "\0" is before all keys, and as an end behind all.
std::string start_of(const std::string& prefix) {
    return to_base64(prefix.empty() ? std::string(1, '\0') : prefix);
}
std::string end_of(const std::string& prefix) {
    const auto end = end_of_prefix(prefix);
    return to_base64(end.empty() ? std::string(1, '\0') : end);
}

Operation operation_of(const Write& write) {
    Operation operation;
    auto key = to_base64(write.key);
    if (write.value) {
        operation.request_put =
            Put{std::move(key), to_base64(*write.value), std::to_string(write.lease)};
    } else {
        operation.request_delete_range = DeleteRange{std::move(key)};
    }
    return operation;
}

}  // namespace

std::string get_request(const std::string& key) {
    return encode(Range{.key = to_base64(key)});
}

std::string list_request(const ListRequest& request) {
    auto range = Range{.key = start_of(request.prefix), .range_end = end_of(request.prefix)};
    if (request.after >= request.prefix && !request.after.empty())
        range.key = to_base64(request.after + '\0');
    range.limit = std::to_string(request.limit);
    if (request.at != 0) range.revision = std::to_string(request.at);
    return encode(range);
}

std::string commit_request(const Transaction& transaction) {
    Txn txn;
    for (const auto& condition : transaction.conditions) {
        auto key = to_base64(condition.key);
        txn.compare.push_back({.key = key, .mod_revision = std::to_string(condition.modified)});
        Operation look;
        look.request_range = Range{.key = std::move(key), .keys_only = true};
        txn.failure.push_back(std::move(look));
    }
    for (const auto& write : transaction.writes) txn.success.push_back(operation_of(write));
    return encode(txn);
}

std::string watch_request(const std::string& prefix, Revision after) {
    return encode(Watching{{.key = start_of(prefix),
                            .range_end = end_of(prefix),
                            .start_revision = std::to_string(after + 1)}});
}

std::string grant_request(std::chrono::seconds ttl) {
    return fmt::format(R"({{"TTL":"{}"}})", ttl.count());
}

std::string lease_request(LeaseId lease) {
    return fmt::format(R"({{"ID":"{}"}})", lease);
}

std::string compact_request(Revision revision) {
    return fmt::format(R"({{"revision":"{}"}})", revision);
}

}  // namespace sheaf::kv::etcd
