#pragma once

// Why: what is said to etcd's JSON gateway (etcd 3.4, /v3) and what it answers, as text in and out:
// nothing here waits or opens anything. An answer may have fields that are not asked for, as later
// versions add some; what is asked for and does not fit is corrupt.

#include "store/kv.h"

namespace sheaf::kv::etcd {

struct Header {
    std::uint64_t cluster = 0;
    Revision revision = 0;
};

// Bodies of requests.
std::string get_request(const std::string& key);
std::string list_request(const ListRequest& request);
std::string commit_request(const Transaction& transaction);
std::string watch_request(const std::string& prefix, Revision after);
std::string grant_request(std::chrono::seconds ttl);
std::string lease_request(LeaseId lease);
std::string compact_request(Revision revision);

struct RangeAnswer {
    Header header;
    std::vector<Record> records;
    bool more = false;
};
Result<RangeAnswer> parse_range(std::string_view text);

struct CommitAnswer {
    Header header;
    bool succeeded = false;
    // Where it did not: the revision of each condition's record, 0 where there is none.
    std::vector<Revision> found;
};
Result<CommitAnswer> parse_commit(std::string_view text);

struct LeaseAnswer {
    Header header;
    LeaseId id = 0;
    std::chrono::seconds ttl{};  // 0: it is gone
};
Result<LeaseAnswer> parse_grant(std::string_view text);
Result<LeaseAnswer> parse_renewal(std::string_view text);

Result<Header> parse_done(std::string_view text);

// One line of a watch.
struct WatchAnswer {
    Header header;
    std::vector<Change> changes;
    bool fragment = false;  // more of the last revision may follow
    bool cancelled = false;
    Revision compacted = 0;  // why, if not 0
    std::string reason;
};
// A line that tells of a failure is that failure.
Result<WatchAnswer> parse_watch(std::string_view line);

// The failure that an answer with this status, which is not 200, tells of.
Failure failure_of(unsigned status, std::string_view body);

}  // namespace sheaf::kv::etcd
