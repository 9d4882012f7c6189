// What is SQLite's own: files that are no stores, processes that share one, and their ends.

#include <sys/fsuid.h>

#include <fstream>
#include <set>

#include "base/child.h"
#include "base/defer.h"
#include "io/pool_loop.h"
#include "store/sqlite_schema.h"
#include "world.h"

namespace sheaf::kv {
namespace {

class SqliteFiles : public testing::Test {
  protected:
    const std::string& folder() const { return folder_.path(); }
    std::string file() const { return folder() + "/store"; }
    void write_file(std::string_view content) const {
        std::ofstream{file(), std::ios::binary} << content;
    }
    // A file that something else than the store has changed.
    void change(const char* statements) const {
        ASSERT_TRUE(std::filesystem::exists(file()));
        auto connection = SqliteConnection::open(file()).value();
        ASSERT_TRUE(connection.run(statements));
    }
    Error refused(const std::string& path) const {
        auto opened = open_sqlite(path);
        EXPECT_FALSE(opened);
        if (opened) return Error{Kind::io, "opened"};
        EXPECT_NE(opened.error().text().find(path), std::string::npos) << opened.error().text();
        return opened.error();
    }
    void expect_refused(Kind kind, const char* reason) const {
        const auto error = refused(file());
        EXPECT_EQ(error.kind(), kind) << error.text();
        EXPECT_NE(error.text().find(reason), std::string::npos) << error.text();
    }
    SqliteRecords open() const { return SqliteRecords{open_sqlite(file()).value()}; }

    static Transaction put(std::string key, std::string value, LeaseId lease = 0) {
        Transaction transaction;
        transaction.writes.push_back({std::move(key), std::move(value), lease});
        return transaction;
    }

  private:
    ScratchFolder folder_;
};

TEST_F(SqliteFiles, AFileOfSomethingElseIsRefusedAndStays) {
    const auto text = std::string(8192, 'x');
    write_file(text);
    expect_refused(Kind::invalid, "file is not a database");
    std::ifstream stays{file()};
    EXPECT_EQ((std::string{std::istreambuf_iterator<char>{stays}, {}}), text);
}

TEST_F(SqliteFiles, TheDatabaseOfAnotherProgramIsRefused) {
    write_file("");
    change("CREATE TABLE theirs (a INTEGER); INSERT INTO theirs VALUES (1);");
    expect_refused(Kind::invalid, "is the database of another program");
    change("PRAGMA application_id = 77;");
    expect_refused(Kind::invalid, "is the database of another program");
    change("INSERT INTO theirs VALUES (2);");
}

TEST_F(SqliteFiles, ALaterVersionIsRefused) {
    static_cast<void>(open());
    change("PRAGMA user_version = 2;");
    expect_refused(Kind::unsupported, "is of version 2; this program knows version 1");
}

TEST_F(SqliteFiles, AMissingFolderIsNotMade) {
    const auto error = refused(folder() + "/missing/store");
    EXPECT_EQ(error.kind(), Kind::not_found) << error.text();
    EXPECT_FALSE(std::filesystem::exists(folder() + "/missing"));
}

TEST_F(SqliteFiles, AFolderIsNoStore) {
    std::filesystem::create_directory(file());
    EXPECT_NE(refused(file()).kind(), Kind::corrupt);
}

TEST_F(SqliteFiles, AFileThatCannotBeWrittenIsRefused) {
    if (::getuid() != 0) GTEST_SKIP() << "needs root, to be somebody else for a while";
    static_cast<void>(open());
    ::chmod(folder().c_str(), 0755);
    ::chmod(file().c_str(), 0444);
    // Of this thread alone.
    ::setfsuid(65534);
    const Defer back{[] { ::setfsuid(0); }};
    expect_refused(Kind::denied, "");
}

TEST_F(SqliteFiles, DamageIsToldOfAndNotServed) {
    {
        auto records = open();
        for (int i = 0; i < 200; ++i)
            ASSERT_TRUE(records.commit(put(std::to_string(i), std::string(3000, 'v'))));
    }
    std::fstream damaged{file(), std::ios::in | std::ios::out | std::ios::binary};
    damaged.seekp(4096);
    damaged << std::string(200'000, '\xa5');
    damaged.close();
    const auto outcome = [&]() -> Result<void> {
        SqliteRecords records{TRY(open_sqlite(file()))};
        TRY(records.list({.prefix = "", .after = "", .limit = largest_page}));
        return {};
    }();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind(), Kind::corrupt) << outcome.error().text();
}

TEST_F(SqliteFiles, AStateThatCannotBeIsCorrupt) {
    static_cast<void>(open());
    change("UPDATE state SET compacted = 9;");
    auto records = open();
    EXPECT_EQ(records.state().error().kind(), Kind::corrupt);
    change("DELETE FROM state;");
    EXPECT_EQ(refused(file()).kind(), Kind::corrupt);
}

// A kill cannot show what a power cut would take, but the setting can be seen.
TEST_F(SqliteFiles, WhatIsAnsweredWasFlushed) {
    auto connection = open_sqlite(file()).value();
    auto synchronous = connection.query("PRAGMA synchronous").value();
    ASSERT_TRUE(synchronous.next().value());
    EXPECT_EQ(synchronous.number(0), 2u);  // FULL
    auto journal = connection.query("PRAGMA journal_mode").value();
    ASSERT_TRUE(journal.next().value());
    EXPECT_EQ(journal.bytes(0), "wal");
    EXPECT_EQ(std::filesystem::status(file()).permissions(), std::filesystem::perms{0600});
}

TEST_F(SqliteFiles, AfterARestartOfTheHostALeaseHasItsWholeTimeAgain) {
    LeaseId lease = 0;
    {
        auto records = open();
        lease = records.grant(std::chrono::seconds{100}).value();
        ASSERT_TRUE(records.commit(put("a", "1", lease)));
    }
    change("UPDATE lease SET deadline = 1; UPDATE state SET boot = 'another';");
    auto records = open();
    EXPECT_TRUE(records.renew(lease));
    EXPECT_GT(records.state()->next_end, std::chrono::seconds{99});
    change("UPDATE lease SET deadline = 1;");
    EXPECT_FALSE(records.get("a").value());
    EXPECT_EQ(records.renew(lease).error().kind(), Kind::not_found);
}

TEST_F(SqliteFiles, CompactionRemovesWhatNobodyCanSee) {
    auto records = open();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(records.commit(put("a", std::to_string(i))));
    Transaction removal;
    removal.writes.push_back({"a", std::nullopt, 0});
    ASSERT_TRUE(records.commit(removal));
    const auto last = records.commit(put("b", "1")).value();
    ASSERT_TRUE(records.compact(last));
    auto connection = SqliteConnection::open(file()).value();
    auto rows = connection.query("SELECT count(*) FROM change").value();
    ASSERT_TRUE(rows.next().value());
    EXPECT_EQ(rows.number(0), 1u);
}

// Another process with the same file, and what it was answered (sharer.cpp).
class Sharer {
  public:
    explicit Sharer(std::vector<std::string> arguments) {
        auto ends = std::array<int, 2>{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        answers_ = Fd{ends[0]};
        const Fd writer{ends[1]};
        arguments.insert(arguments.begin(), "sharer");
        const std::array handed{Child::Handed{writer.get(), STDOUT_FILENO},
                                Child::Handed{STDERR_FILENO, STDERR_FILENO}};
        process_ = Child::start(SHEAF_SHARER, arguments, handed).value();
    }
    // None: it has ended.
    std::optional<std::uint64_t> answer() {
        std::uint64_t number = 0;
        if (::read(answers_.get(), &number, sizeof(number)) != sizeof(number)) return std::nullopt;
        return number;
    }
    void kill() { process_.kill(); }
    std::string reap() { return process_.reap(); }

  private:
    Fd answers_;
    Child process_;
};

// The last number that was answered before the writer was killed, which is at any moment.
std::uint64_t write_and_kill(const std::string& file, std::uint64_t least, unsigned moment) {
    Sharer writer{{"write", file}};
    std::uint64_t last = 0;
    for (std::uint64_t heard = 0; heard < least; ++heard) last = writer.answer().value_or(0);
    const auto now = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() < now + std::chrono::microseconds{moment}) continue;
    writer.kill();
    while (const auto more = writer.answer()) last = *more;
    writer.reap();
    return last;
}

TEST_F(SqliteFiles, NothingThatWasAnsweredIsLostByAKill) {
    io::SimRandom random{11};
    std::uint64_t kept = 0;
    for (int round = 0; round < 30; ++round) {
        const auto answered =
            write_and_kill(file(), 1 + random.below(8), static_cast<unsigned>(random.below(3000)));
        auto records = open();
        const auto count = std::stoull(records.get("count").value()->value);
        // The one on its way may have been done, and nothing else.
        EXPECT_GE(count, answered);
        EXPECT_LE(count, answered + 1);
        EXPECT_GT(answered, kept);
        kept = count;
        EXPECT_EQ(records.state()->revision, count + 1);
        // Each transaction is there whole, and once.
        Revision position = 1;
        std::uint64_t told = 0;
        while (position < count + 1) {
            const auto found = records.changes("n/", position).value();
            for (const auto& change : found.changes)
                EXPECT_EQ(change.key, fmt::format("n/{:08}", ++told));
            position = found.revision;
        }
        EXPECT_EQ(told, count);
    }
}

TEST_F(SqliteFiles, ProcessesThatContendForOneKeyWinOnceEach) {
    constexpr int times = 60;
    std::vector<Sharer> sharers;
    for (int i = 0; i < 3; ++i)
        sharers.push_back(Sharer{{"increment", file(), std::to_string(times)}});
    std::set<Revision> won;
    for (auto& sharer : sharers) {
        while (const auto revision = sharer.answer())
            EXPECT_TRUE(won.insert(*revision).second) << *revision;
        EXPECT_EQ(sharer.reap(), "");
    }
    EXPECT_EQ(won.size(), 3u * times);
    EXPECT_EQ(open().get("count").value()->value, std::to_string(3 * times));
}

TEST_F(SqliteFiles, ALoopWithoutIoUringNoticesToo) {
    const auto loop = io::PoolLoop::create(3).value();
    const auto kv = io::run(*loop, SqliteKv::open(*loop, file())).value();
    const auto watch = kv->watch("n/", 1);
    const Sharer writer{{"write", file()}};
    std::uint64_t told = 0;
    while (told < 20) {
        auto waited = io::within(*loop, std::chrono::seconds{20}, watch->next());
        const auto found = io::run(*loop, std::move(waited));
        ASSERT_TRUE(found) << found.error().text();
        for (const auto& change : *found) EXPECT_EQ(change.key, fmt::format("n/{:08}", ++told));
    }
    EXPECT_TRUE(io::run(*loop, kv->shut_down()));
}

// Watches of this process, and another that changes the file.
class SharedFile : public SqliteFiles {
  protected:
    void SetUp() override { kv_ = run(SqliteKv::open(*loop_, file())).value(); }
    void TearDown() override { EXPECT_TRUE(run(kv_->shut_down())); }
    template <class T>
    Result<T> run(io::Task<T> task) {
        return io::run(*loop_, io::within(*loop_, std::chrono::seconds{20}, std::move(task)));
    }
    Kv& kv() { return *kv_; }

  private:
    std::unique_ptr<io::Loop> loop_ = io::make_loop().value();
    std::unique_ptr<SqliteKv> kv_;
};

TEST_F(SharedFile, WhatAnotherProcessCommitsIsSeen) {
    const auto watch = kv().watch("n/", 1);
    Sharer writer{{"write", file()}};
    std::uint64_t told = 0;
    while (told < 100) {
        const auto found = run(watch->next());
        ASSERT_TRUE(found) << found.error().text();
        for (const auto& change : *found) EXPECT_EQ(change.key, fmt::format("n/{:08}", ++told));
    }
}

// The sign of a commit is given after it. Whoever is killed in between gives another: its end.
TEST_F(SharedFile, ACommitWithoutASignIsSeenWhenItsProcessEnds) {
    const auto watch = kv().watch("", 1);
    const Sharer sharer{{"unsigned", file()}};
    const auto found = run(watch->next());
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ(found->at(0).key, "a");
}

TEST_F(SharedFile, TheLeaseOfAProcessThatWasKilledEnds) {
    const auto watch = kv().watch("", 1);
    const Sharer sharer{{"lease", file()}};
    std::vector<Change> told;
    while (told.size() < 2) {
        auto found = run(watch->next());
        ASSERT_TRUE(found) << found.error().text();
        std::ranges::move(*found, std::back_inserter(told));
    }
    EXPECT_TRUE(told[0].now);
    EXPECT_FALSE(told[1].now);
}

}  // namespace
}  // namespace sheaf::kv
