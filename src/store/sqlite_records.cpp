#include "store/sqlite_records.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store/limits.h"
#include "store/sqlite_schema.h"

namespace sheaf::kv {

namespace {

using Purpose = SqliteTransaction::Purpose;

constexpr std::size_t many_changes = 256;
constexpr std::size_t many_bytes = 4 << 20;

// Of the columns key, revision, created, lease, value; none where it is a deletion.
std::optional<Record> record_of(const SqliteRows& rows) {
    if (rows.number(2) == 0) return std::nullopt;
    return Record{.key = rows.bytes(0).value_or(""),
                  .value = rows.bytes(4).value_or(""),
                  .created = rows.number(2),
                  .modified = rows.number(1),
                  .lease = rows.number(3)};
}

// A key that is greater than all keys with this prefix.
std::string behind(const std::string& prefix) {
    auto end = end_of_prefix(prefix);
    return end.empty() ? std::string(longest_key + 1, '\xff') : end;
}

}  // namespace

Result<SqliteRecords::State> SqliteRecords::read_state() {
    auto rows = TRY(connection_.query(
        "SELECT revision, compacted, (SELECT min(deadline) FROM lease) FROM state"));
    if (!TRY(rows.next())) return fail(Kind::corrupt, "store {}: has no state", connection_.path());
    State state{.revision = rows.number(0), .compacted = rows.number(1), .next_end = {}};
    if (state.revision == 0 || state.compacted > state.revision)
        return fail(Kind::corrupt, "store {}: its state is of no revision", connection_.path());
    if (const auto deadline = rows.number(2); deadline != 0) {
        const auto now = milliseconds_of_boot();
        state.next_end = std::chrono::milliseconds{deadline > now ? deadline - now : 0};
    }
    return state;
}

Result<SqliteRecords::State> SqliteRecords::state() {
    TRY(end_due_leases());
    return read_state();
}

Result<std::optional<Record>> SqliteRecords::get(const std::string& key) {
    TRY(end_due_leases());
    auto rows = TRY(
        connection_.query("SELECT key, revision, created, lease, value FROM change WHERE key = ? "
                          "ORDER BY revision DESC LIMIT 1",
                          key));
    if (!TRY(rows.next())) return std::nullopt;
    return record_of(rows);
}

Result<Page> SqliteRecords::list(const ListRequest& request) {
    TRY(end_due_leases());
    // All of one state of the file.
    auto transaction = TRY(SqliteTransaction::begin(connection_, Purpose::read));
    const auto state = TRY(read_state());
    const auto at = request.at == 0 ? state.revision : request.at;
    if (at > state.revision) return is_yet_to_come(at, state.revision);
    if (at < state.compacted) return is_compacted(at, state.compacted);
    Page page{.records = {}, .revision = at, .more = false};
    const auto end = behind(request.prefix);
    auto rows = TRY(connection_.query(
        "SELECT key, revision, created, lease, value FROM change WHERE key >= ?1 AND key < ?2 AND "
        "key > ?3 AND revision <= ?4 AND (superseded IS NULL OR superseded > ?4) AND created != 0 "
        "ORDER BY key LIMIT ?5",
        request.prefix, end, request.after, at, std::uint64_t{request.limit + 1}));
    std::size_t bytes = 0;
    while (TRY(rows.next())) {
        page.more = page.records.size() == request.limit || bytes >= many_bytes;
        if (page.more) break;
        page.records.push_back(record_of(rows).value_or(Record{}));
        bytes += page.records.back().value.size();
    }
    return page;
}

Result<void> SqliteRecords::check(const Condition& condition) {
    const auto found = TRY(before(condition.key, ~Revision{0} >> 1));
    const auto modified = found ? found->modified : 0;
    if (modified != condition.modified) return not_as_expected(condition, modified);
    return {};
}

Result<void> SqliteRecords::require_lease(LeaseId lease) {
    auto rows = TRY(connection_.query("SELECT 1 FROM lease WHERE id = ?", lease));
    if (!TRY(rows.next())) return no_such_lease(lease);
    return {};
}

Result<std::optional<Record>> SqliteRecords::before(const std::string& key, Revision revision) {
    auto rows = TRY(connection_.query(
        "SELECT key, revision, created, lease, value FROM change WHERE key = ? AND revision < ? "
        "ORDER BY revision DESC LIMIT 1",
        key, revision));
    if (!TRY(rows.next())) return std::nullopt;
    return record_of(rows);
}

Result<void> SqliteRecords::supersede(const std::string& key, Revision revision) {
    return connection_.execute(
        "UPDATE change SET superseded = ? WHERE key = ? AND superseded IS NULL", revision, key);
}

// Whether it changes anything.
Result<bool> SqliteRecords::apply(const Write& write, Revision revision) {
    const auto found = TRY(before(write.key, revision));
    if (!write.value && !found) return false;
    if (write.lease != 0) TRY(require_lease(write.lease));
    TRY(supersede(write.key, revision));
    const auto created = !write.value ? 0 : found ? found->created : revision;
    TRY(connection_.execute(
        "INSERT INTO change (key, revision, created, lease, value) VALUES (?, ?, ?, ?, ?)",
        write.key, revision, created, write.lease, write.value));
    return true;
}

Result<void> SqliteRecords::set_revision(Revision revision) {
    return connection_.execute("UPDATE state SET revision = ?", revision);
}

Result<SqliteTransaction> SqliteRecords::begin_writing() {
    TRY(end_due_leases());
    return SqliteTransaction::begin(connection_, Purpose::write);
}

// Tells everybody who has the file open. Were it killed here, the end of this process would.
Result<void> SqliteRecords::committed(SqliteTransaction transaction) {
    TRY(transaction.commit());
    // Fails where the file has lost its name; then nobody else has this store.
    static_cast<void>(::utimensat(AT_FDCWD, connection_.path().c_str(), nullptr, 0));
    return {};
}

Result<Revision> SqliteRecords::commit(const Transaction& transaction) {
    auto writing = TRY(begin_writing());
    for (const auto& condition : transaction.conditions) TRY(check(condition));
    const auto state = TRY(read_state());
    auto changed = false;
    for (const auto& write : transaction.writes)
        changed = TRY(apply(write, state.revision + 1)) || changed;
    if (!changed) return state.revision;
    TRY(set_revision(state.revision + 1));
    TRY(committed(std::move(writing)));
    return state.revision + 1;
}

Result<SqliteRecords::Changes> SqliteRecords::changes(const std::string& prefix, Revision after) {
    TRY(end_due_leases());
    auto transaction = TRY(SqliteTransaction::begin(connection_, Purpose::read));
    const auto state = TRY(read_state());
    if (after < state.compacted) return is_compacted(after, state.compacted);
    const auto end = behind(prefix);
    Changes found{.revision = state.revision, .changes = {}};
    auto rows = TRY(connection_.query(
        "SELECT key, revision, created, lease, value FROM change WHERE revision > ?1 AND "
        "key >= ?2 AND key < ?3 ORDER BY revision, number",
        after, prefix, end));
    std::size_t bytes = 0;
    while (TRY(rows.next())) {
        const auto revision = rows.number(1);
        const auto enough = found.changes.size() >= many_changes || bytes >= many_bytes;
        if (enough && revision != found.changes.back().revision) {
            found.revision = found.changes.back().revision;
            break;
        }
        auto key = rows.bytes(0).value_or("");
        auto earlier = TRY(before(key, revision));
        auto now = record_of(rows);
        bytes += (now ? now->value.size() : 0) + (earlier ? earlier->value.size() : 0);
        found.changes.push_back({std::move(key), revision, std::move(now), std::move(earlier)});
    }
    return found;
}

Result<void> SqliteRecords::compact(Revision revision) {
    auto writing = TRY(begin_writing());
    const auto state = TRY(read_state());
    if (revision > state.revision) return is_yet_to_come(revision, state.revision);
    if (revision <= state.compacted) return {};
    TRY(connection_.execute("DELETE FROM change WHERE superseded <= ?", revision));
    TRY(connection_.execute("DELETE FROM change WHERE created = 0 AND revision <= ?", revision));
    TRY(connection_.execute("UPDATE state SET compacted = ?", revision));
    return committed(std::move(writing));
}

}  // namespace sheaf::kv
