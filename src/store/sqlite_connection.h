#pragma once

// Why: SQLite is C and blocks. Here it has one owner for each thing, and its codes become errors of
// ours that name the file.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sheaf::kv {

// Frees what SQLite made.
struct SqliteCloser {
    void operator()(sqlite3* connection) const;
    void operator()(sqlite3_stmt* statement) const;
};

// What a prepared statement gives, row by row; it can be used again once this is destroyed. Values
// that were bound outlive it.
class SqliteRows {
  public:
    SqliteRows(sqlite3* connection, sqlite3_stmt* statement, const std::string& path)
        : connection_(connection), statement_(statement), path_(&path) {}
    SqliteRows(SqliteRows&& other) noexcept
        : connection_(other.connection_),
          statement_(std::exchange(other.statement_, nullptr)),
          path_(other.path_) {}
    SqliteRows& operator=(SqliteRows&&) = delete;
    ~SqliteRows();

    // Numbered from 1.
    Result<void> bind(int place, std::uint64_t number);
    Result<void> bind(int place, std::string_view bytes);
    Result<void> bind(int place, const std::string& bytes) {
        return bind(place, std::string_view{bytes});
    }
    Result<void> bind(int place, const std::optional<std::string>& bytes);

    // Whether there is one more row, which the next two look at.
    Result<bool> next();
    std::uint64_t number(int column) const;
    std::optional<std::string> bytes(int column) const;  // none: null

  private:
    sqlite3* connection_;
    sqlite3_stmt* statement_;
    const std::string* path_;
};

// One thread at a time.
class SqliteConnection {
  public:
    // Of a file that is there, in which others may be writing. Waits for those ten seconds at most.
    static Result<SqliteConnection> open(const std::string& path);

    const std::string& path() const { return *path_; }
    bool read_only() const;

    // Statements without values, one after another.
    Result<void> run(const char* statements);
    // `statement` is a literal: it is prepared once. No string of `values` may be a temporary one.
    template <class... Values>
    Result<SqliteRows> query(const char* statement, Values&&... values) {
        static_assert((!std::is_same_v<Values, std::string> && ...), "bound, not copied");
        auto rows = TRY(prepared(statement));
        int place = 0;
        Result<void> bound;
        static_cast<void>(((bound = rows.bind(++place, std::forward<Values>(values))) && ...));
        if (!bound) return Failure{std::move(bound).error()};
        return rows;
    }
    // The same where nothing is given.
    template <class... Values>
    Result<void> execute(const char* statement, Values&&... values) {
        auto rows = TRY(query(statement, std::forward<Values>(values)...));
        TRY(rows.next());
        return {};
    }

  private:
    SqliteConnection() = default;
    Result<SqliteRows> prepared(const char* statement);

    std::unique_ptr<std::string> path_;  // rows point at it
    std::unique_ptr<sqlite3, SqliteCloser> connection_;
    std::map<const char*, std::unique_ptr<sqlite3_stmt, SqliteCloser>> statements_;
};

// Rolled back unless it was committed.
class SqliteTransaction {
  public:
    enum class Purpose { read, write };
    static Result<SqliteTransaction> begin(SqliteConnection& connection, Purpose purpose);
    SqliteTransaction(SqliteTransaction&& other) noexcept
        : connection_(std::exchange(other.connection_, nullptr)) {}
    SqliteTransaction& operator=(SqliteTransaction&&) = delete;
    ~SqliteTransaction();

    Result<void> commit();

  private:
    explicit SqliteTransaction(SqliteConnection& connection) : connection_(&connection) {}
    SqliteConnection* connection_;
};

}  // namespace sheaf::kv
