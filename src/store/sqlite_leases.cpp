#include <chrono>

#include "store/limits.h"
#include "store/sqlite_records.h"
#include "store/sqlite_schema.h"

namespace sheaf::kv {

namespace {

using Purpose = SqliteTransaction::Purpose;

std::uint64_t milliseconds(std::chrono::seconds time) {
    return static_cast<std::uint64_t>(std::chrono::milliseconds{time}.count());
}

}  // namespace

// Deletes what is attached to it, in a revision of its own.
Result<void> SqliteRecords::end_lease(LeaseId lease) {
    std::vector<std::string> keys;
    {
        auto rows = TRY(connection_.query(
            "SELECT key FROM change WHERE lease = ?1 AND lease != 0 AND superseded IS NULL",
            lease));
        while (TRY(rows.next())) keys.push_back(rows.bytes(0).value_or(""));
    }
    TRY(connection_.execute("DELETE FROM lease WHERE id = ?", lease));
    if (keys.empty()) return {};
    const auto revision = TRY(read_state()).revision + 1;
    for (auto& key : keys) {
        const Write deletion{.key = std::move(key), .value = {}, .lease = 0};
        TRY(apply(deletion, revision));
    }
    return set_revision(revision);
}

Result<void> SqliteRecords::end_due_leases() {
    const auto now = milliseconds_of_boot();
    const auto first_due = [&]() -> Result<LeaseId> {
        auto rows = TRY(connection_.query(
            "SELECT id FROM lease WHERE deadline <= ? ORDER BY deadline, id LIMIT 1", now));
        return TRY(rows.next()) ? rows.number(0) : 0;
    };
    if (TRY(first_due()) == 0) return {};
    auto writing = TRY(SqliteTransaction::begin(connection_, Purpose::write));
    // Looked at once more: another process may have renewed or ended it meanwhile.
    for (auto lease = TRY(first_due()); lease != 0; lease = TRY(first_due())) TRY(end_lease(lease));
    return committed(std::move(writing));
}

Result<LeaseId> SqliteRecords::grant(std::chrono::seconds ttl) {
    auto writing = TRY(begin_writing());
    TRY(connection_.execute("UPDATE state SET last_lease = last_lease + 1"));
    TRY(connection_.execute(
        "INSERT INTO lease (id, ttl, deadline) SELECT last_lease, ?1, ?2 + ?1 FROM state",
        milliseconds(ttl), milliseconds_of_boot()));
    LeaseId lease = 0;
    {
        auto rows = TRY(connection_.query("SELECT last_lease FROM state"));
        TRY(rows.next());
        lease = rows.number(0);
    }
    TRY(committed(std::move(writing)));
    return lease;
}

Result<void> SqliteRecords::renew(LeaseId lease) {
    auto writing = TRY(begin_writing());
    TRY(require_lease(lease));
    TRY(connection_.execute("UPDATE lease SET deadline = ttl + ?2 WHERE id = ?1", lease,
                            milliseconds_of_boot()));
    return committed(std::move(writing));
}

Result<void> SqliteRecords::revoke(LeaseId lease) {
    auto writing = TRY(begin_writing());
    TRY(require_lease(lease));
    TRY(end_lease(lease));
    return committed(std::move(writing));
}

}  // namespace sheaf::kv
