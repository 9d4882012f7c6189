#include "store/sqlite_connection.h"

#include <sqlite3.h>

namespace sheaf::kv {

namespace {

constexpr int patience = 10'000;  // milliseconds

Kind kind_of(int code) {
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return Kind::unavailable;
        case SQLITE_NOTADB:
        case SQLITE_TOOBIG: return Kind::invalid;
        case SQLITE_CORRUPT: return Kind::corrupt;
        case SQLITE_FULL:
        case SQLITE_NOMEM: return Kind::exhausted;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH: return Kind::denied;
        default: return Kind::io;
    }
}

// What went wrong last.
Failure failed(sqlite3* connection, const std::string& path) {
    const auto code = sqlite3_extended_errcode(connection);
    const auto system = sqlite3_system_errno(connection);
    const auto primary = code & 0xff;
    if (system != 0 && (primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR))
        return fail_os(system, "store {}: {}", path, sqlite3_errmsg(connection));
    if (primary == SQLITE_BUSY)
        return fail(Kind::unavailable, "store {}: another process has been writing for {} s", path,
                    patience / 1000);
    return fail(kind_of(code), "store {}: {}", path, sqlite3_errmsg(connection));
}

}  // namespace

void SqliteCloser::operator()(sqlite3* connection) const {
    // Statements are finalized before, so it closes at once.
    sqlite3_close_v2(connection);
}

void SqliteCloser::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

SqliteRows::~SqliteRows() {
    if (!statement_) return;
    // Tells once more of a failure that next() has told of.
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

Result<void> SqliteRows::bind(int place, std::uint64_t number) {
    if (sqlite3_bind_int64(statement_, place, static_cast<sqlite3_int64>(number)) != SQLITE_OK)
        return failed(connection_, *path_);
    return {};
}

Result<void> SqliteRows::bind(int place, std::string_view bytes) {
    // A null pointer would be no value at all.
    const auto* start = bytes.empty() ? "" : bytes.data();
    if (sqlite3_bind_blob64(statement_, place, start, bytes.size(), nullptr) != SQLITE_OK)
        return failed(connection_, *path_);
    return {};
}

Result<void> SqliteRows::bind(int place, const std::optional<std::string>& bytes) {
    if (bytes) return bind(place, std::string_view{*bytes});
    return {};
}

Result<bool> SqliteRows::next() {
    switch (sqlite3_step(statement_)) {
        case SQLITE_ROW: return true;
        case SQLITE_DONE: return false;
        default: return failed(connection_, *path_);
    }
}

std::uint64_t SqliteRows::number(int column) const {
    return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column));
}

std::optional<std::string> SqliteRows::bytes(int column) const {
    if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
    const auto* start = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    const auto length = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return start ? std::string{start, length} : std::string{};
}

Result<SqliteConnection> SqliteConnection::open(const std::string& path) {
    SqliteConnection made;
    made.path_ = std::make_unique<std::string>(path);
    // Names like ":memory:" mean something else to SQLite.
    const auto plain = path.starts_with('/') ? path : "./" + path;
    sqlite3* connection = nullptr;
    constexpr auto flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    const auto code = sqlite3_open_v2(plain.c_str(), &connection, flags, nullptr);
    made.connection_.reset(connection);
    if (code != SQLITE_OK) return failed(connection, path);
    sqlite3_busy_timeout(connection, patience);
    return made;
}

bool SqliteConnection::read_only() const {
    return sqlite3_db_readonly(connection_.get(), "main") != 0;
}

Result<void> SqliteConnection::run(const char* statements) {
    if (sqlite3_exec(connection_.get(), statements, nullptr, nullptr, nullptr) != SQLITE_OK)
        return failed(connection_.get(), *path_);
    return {};
}

Result<SqliteRows> SqliteConnection::prepared(const char* statement) {
    auto& known = statements_[statement];
    if (!known) {
        sqlite3_stmt* made = nullptr;
        const auto code = sqlite3_prepare_v3(connection_.get(), statement, -1,
                                             SQLITE_PREPARE_PERSISTENT, &made, nullptr);
        if (code != SQLITE_OK) return failed(connection_.get(), *path_);
        known.reset(made);
    }
    return SqliteRows{connection_.get(), known.get(), *path_};
}

Result<SqliteTransaction> SqliteTransaction::begin(SqliteConnection& connection, Purpose purpose) {
    TRY(connection.execute(purpose == Purpose::write ? "BEGIN IMMEDIATE" : "BEGIN"));
    return SqliteTransaction{connection};
}

SqliteTransaction::~SqliteTransaction() {
    // SQLite may have rolled it back by itself, and then refuses.
    if (connection_) static_cast<void>(connection_->execute("ROLLBACK"));
}

Result<void> SqliteTransaction::commit() {
    TRY(connection_->execute("COMMIT"));
    connection_ = nullptr;
    return {};
}

}  // namespace sheaf::kv
