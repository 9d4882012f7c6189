// Another process that has the file of a store open, for sqlite_test.cpp:
//   sharer write FILE            counts in one record and keeps one more each time, until killed
//   sharer increment FILE COUNT  counts by so many in the record that others count in
//   sharer unsigned FILE         commits, and is killed before it could tell anybody
//   sharer lease FILE            attaches a record to a lease of a second, and is killed
// What was answered is written to standard output, as numbers of eight bytes.

#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "store/sqlite_records.h"
#include "store/sqlite_schema.h"

namespace sheaf::kv {
namespace {

void answered(std::uint64_t number) {
    if (::write(STDOUT_FILENO, &number, sizeof(number)) != sizeof(number)) ::_exit(1);
}

struct Count {
    std::uint64_t next = 1;
    Condition unchanged{"count", 0};
    Write put() const { return {"count", std::to_string(next), 0}; }
};

Result<Count> count_in(SqliteRecords& records) {
    const auto found = TRY(records.get("count"));
    if (!found) return Count{};
    return Count{std::stoull(found->value) + 1, {"count", found->modified}};
}

Result<void> write(SqliteRecords& records) {
    while (true) {
        const auto count = TRY(count_in(records));
        Transaction both;
        both.conditions = {count.unchanged};
        both.writes = {
            count.put(),
            {fmt::format("n/{:08}", count.next), std::string(count.next % 5000, 'v'), 0}};
        TRY(records.commit(both));
        answered(count.next);
    }
}

Result<void> increment(SqliteRecords& records, int times) {
    while (times > 0) {
        const auto count = TRY(count_in(records));
        Transaction swap;
        swap.conditions = {count.unchanged};
        swap.writes = {count.put()};
        const auto revision = records.commit(swap);
        if (!revision && revision.error().kind() == Kind::conflict) continue;
        answered(TRY(Result<Revision>{revision}));
        --times;
    }
    return {};
}

Result<void> be_killed() {
    ::kill(::getpid(), SIGKILL);
    return {};
}

Result<void> commit_without_sign(const std::string& file) {
    auto connection = TRY(SqliteConnection::open(file));
    TRY(connection.run(
        "BEGIN IMMEDIATE; INSERT INTO change (key, revision, created, lease, value) VALUES "
        "(x'61', 2, 2, 0, x'31'); UPDATE state SET revision = 2; COMMIT;"));
    return be_killed();
}

Result<void> leave_lease(SqliteRecords& records) {
    Transaction put;
    put.writes = {{"alive", "", TRY(records.grant(std::chrono::seconds{1}))}};
    TRY(records.commit(put));
    return be_killed();
}

Result<void> share(const std::string& what, const std::string& file, int times) {
    if (what == "unsigned") return commit_without_sign(file);
    SqliteRecords records{TRY(open_sqlite(file))};
    if (what == "write") return write(records);
    if (what == "increment") return increment(records, times);
    return leave_lease(records);
}

}  // namespace
}  // namespace sheaf::kv

int main(int count, char** arguments) {
    if (count < 3) return 64;
    const auto times = count > 3 ? std::atoi(arguments[3]) : 0;
    const auto shared = sheaf::kv::share(arguments[1], arguments[2], times);
    if (shared) return 0;
    fmt::print(stderr, "{}\n", shared.error().text());
    return 1;
}
