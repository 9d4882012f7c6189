#include "store/sqlite_schema.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <ctime>

#include "base/boot_id.h"
#include "base/fd.h"

namespace sheaf::kv {

namespace {

constexpr std::uint64_t application_id = 0x53686561;
constexpr std::uint64_t version = 1;

constexpr auto schema = R"(
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,
    compacted INTEGER NOT NULL,
    last_lease INTEGER NOT NULL,
    boot TEXT NOT NULL);
CREATE TABLE change (
    number INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    revision INTEGER NOT NULL,
    created INTEGER NOT NULL,
    lease INTEGER NOT NULL,
    superseded INTEGER,
    value BLOB);
CREATE UNIQUE INDEX change_of_key ON change (key, revision);
CREATE INDEX change_in_revision ON change (revision);
CREATE INDEX change_of_lease ON change (lease) WHERE lease != 0 AND superseded IS NULL;
CREATE TABLE lease (
    id INTEGER PRIMARY KEY,
    ttl INTEGER NOT NULL,
    deadline INTEGER NOT NULL);
CREATE INDEX lease_by_deadline ON lease (deadline);
INSERT INTO state VALUES (1, 1, 0, 0, '');
PRAGMA application_id = 0x53686561;
PRAGMA user_version = 1;
)";

// The folder of the file, locked against others who open a store in it.
Result<Fd> take_turn(const std::string& path) {
    const auto slash = path.rfind('/');
    const auto folder = slash == path.npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
    auto opened = TRY(checked_fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                                 "store {}: its folder", path));
    while (::flock(opened.get(), LOCK_EX) != 0)
        if (errno != EINTR) return fail_os(errno, "store {}: locking its folder", path);
    return opened;
}

// Nobody else has a file that is not there, so closing it takes nobody's POSIX locks away; SQLite
// itself would make it readable by all.
Result<void> make_file(const std::string& path) {
    const auto made = Fd{::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!made && errno != EEXIST) return fail_os(errno, "store {}: making it", path);
    return {};
}

Result<std::uint64_t> number(SqliteConnection& connection, const char* statement) {
    auto rows = TRY(connection.query(statement));
    TRY(rows.next());
    return rows.number(0);
}

Result<bool> is_empty(SqliteConnection& connection) {
    return TRY(number(connection, "SELECT count(*) FROM sqlite_schema")) == 0 &&
           TRY(number(connection, "PRAGMA application_id")) == 0;
}

Result<void> check_version(SqliteConnection& connection) {
    if (TRY(number(connection, "PRAGMA application_id")) != application_id)
        return fail(Kind::invalid, "store {}: is the database of another program",
                    connection.path());
    const auto found = TRY(number(connection, "PRAGMA user_version"));
    if (found > version)
        return fail(Kind::unsupported, "store {}: is of version {}; this program knows version {}",
                    connection.path(), found, version);
    if (found != version)
        return fail(Kind::corrupt, "store {}: is of version {}, which never was", connection.path(),
                    found);
    return {};
}

Result<void> use_log(SqliteConnection& connection) {
    auto rows = TRY(connection.query("PRAGMA journal_mode = WAL"));
    TRY(rows.next());
    if (rows.bytes(0) == "wal") return {};
    return fail(Kind::unsupported, "store {}: its file system offers no shared memory",
                connection.path());
}

Result<void> make_schema(SqliteConnection& connection, const Fd& folder) {
    TRY(use_log(connection));
    auto transaction = TRY(SqliteTransaction::begin(connection, SqliteTransaction::Purpose::write));
    TRY(connection.run(schema));
    TRY(transaction.commit());
    if (::fsync(folder.get()) != 0)
        return fail_os(errno, "store {}: making its name stable", connection.path());
    return {};
}

// Deadlines of an earlier boot say nothing: every lease has its whole time again. So it has where
// the host does not say which boot this is: a lease may end late, never early.
Result<void> adopt_leases(SqliteConnection& connection) {
    const auto boot = boot_id();
    const auto name = boot.value_or("");
    {
        auto rows = TRY(connection.query("SELECT boot FROM state"));
        if (!TRY(rows.next()))
            return fail(Kind::corrupt, "store {}: has no state", connection.path());
        if (boot && rows.bytes(0) == *boot) return {};
    }
    auto transaction = TRY(SqliteTransaction::begin(connection, SqliteTransaction::Purpose::write));
    TRY(connection.execute("UPDATE lease SET deadline = ttl + ?", milliseconds_of_boot()));
    TRY(connection.execute("UPDATE state SET boot = ?", std::string_view{name}));
    return transaction.commit();
}

}  // namespace

Result<SqliteConnection> open_sqlite(const std::string& path) {
    const auto folder = TRY(take_turn(path));
    TRY(make_file(path));
    auto connection = TRY(SqliteConnection::open(path));
    if (TRY(is_empty(connection))) {
        if (connection.read_only()) return fail(Kind::denied, "store {}: is read-only", path);
        TRY(make_schema(connection, folder));
    }
    TRY(check_version(connection));
    if (connection.read_only()) return fail(Kind::denied, "store {}: is read-only", path);
    TRY(use_log(connection));
    TRY(connection.run("PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;"));
    TRY(adopt_leases(connection));
    return connection;
}

std::uint64_t milliseconds_of_boot() {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1000 +
           static_cast<std::uint64_t>(time.tv_nsec) / 1'000'000;
}

}  // namespace sheaf::kv
