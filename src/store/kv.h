#pragma once

// Why: what hosts agree on (who is a member of a volume, which objects there are) is small records
// with revisions, changed by compare-and-swap and watched. Everything that decides something stands
// on this interface alone, so one node's file, a cluster and the simulation are interchangeable.
// What every store promises is docs/formats/store.md.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/task.h"

namespace sheaf::kv {

// Of the whole store: each transaction that changes something makes it one larger. 0 is before all.
using Revision = std::uint64_t;
// 0 is none.
using LeaseId = std::uint64_t;

// Keys and values are bytes, keys ordered as unsigned ones.
struct Record {
    std::string key;
    std::string value;
    Revision created = 0;
    Revision modified = 0;
    LeaseId lease = 0;
    bool operator==(const Record&) const = default;
};

inline constexpr std::size_t longest_key = 1024;  // bytes, as the next two
inline constexpr std::size_t longest_value = 1 << 20;
inline constexpr std::size_t largest_transaction = 1 << 20;  // keys and values together
inline constexpr std::size_t most_conditions = 128;          // of a transaction
inline constexpr std::size_t most_writes = 128;              // the same
inline constexpr std::size_t largest_page = 1000;            // records
inline constexpr std::chrono::seconds longest_lease{24 * 60 * 60};

struct ListRequest {
    std::string prefix;       // empty: all keys
    std::string after;        // only keys after this one: the last of the page before
    std::size_t limit = 500;  // records, at most largest_page; large ones come in fewer
    Revision at = 0;          // 0: the newest
};

struct Page {
    std::vector<Record> records;  // in the order of keys
    Revision revision = 0;        // that it is of
    bool more = false;            // records follow
};

struct Condition {
    std::string key;
    Revision modified = 0;  // of the record that must be there; 0: none may be
};

struct Write {
    std::string key;
    std::optional<std::string> value;  // none: the record is deleted
    LeaseId lease = 0;                 // that a put attaches the record to
};

struct Transaction {
    std::vector<Condition> conditions;
    std::vector<Write> writes;  // of different keys
};

struct Change {
    std::string key;
    Revision revision = 0;
    std::optional<Record> now;     // none: deleted
    std::optional<Record> before;  // none: there was none, or it was compacted away meanwhile
    bool operator==(const Change&) const = default;
};

// The changes of a prefix, each once and in order. Loop thread only; one next() at a time. Ends
// before the store is shut down.
class Watch {
  public:
    Watch() = default;
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    virtual ~Watch() = default;

    // Waits for changes and gives all of one or more revisions. not_found: the history it needs is
    // compacted. After unavailable, timed_out and cancelled it may be called again and has lost
    // nothing; after any other failure it is over.
    virtual io::Task<std::vector<Change>> next() = 0;
    // Everything up to this revision was given. May move on where nothing of the prefix changed.
    virtual Revision position() const = 0;
};

struct Lease {
    LeaseId id = 0;
    std::chrono::seconds ttl{};
};

// Loop thread only, any number of calls at once. conflict, invalid, exhausted, denied, unsupported
// and not_found say that nothing was done; after any other failure of what changes something it may
// have been done: read again.
class Kv {
  public:
    Kv() = default;
    Kv(const Kv&) = delete;
    Kv& operator=(const Kv&) = delete;
    virtual ~Kv() = default;

    virtual io::Task<std::optional<Record>> get(std::string key) = 0;
    // not_found: the revision is compacted.
    virtual io::Task<Page> list(ListRequest request) = 0;
    // Gives the revision after it. conflict: a condition does not hold; not_found: a lease is gone.
    virtual io::Task<Revision> commit(Transaction transaction) = 0;
    // Begins nothing yet. The store outlives the watch.
    virtual std::unique_ptr<Watch> watch(std::string prefix, Revision after) = 0;

    // At least one second. What is granted may be longer.
    virtual io::Task<Lease> grant(std::chrono::seconds ttl) = 0;
    // From now on for its whole time. not_found: it has ended.
    virtual io::Task<void> renew(LeaseId lease) = 0;
    // Ends it, and deletes what is attached to it.
    virtual io::Task<void> revoke(LeaseId lease) = 0;

    // Forgets what was superseded or deleted at this revision or before.
    virtual io::Task<void> compact(Revision revision) = 0;
    // Before the store is destroyed, once no other call waits.
    virtual io::Task<void> shut_down() = 0;
};

}  // namespace sheaf::kv
