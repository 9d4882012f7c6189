#include "store/sqlite_kv.h"

#include <sys/inotify.h>

#include <array>

#include "store/limits.h"
#include "store/sqlite_schema.h"

namespace sheaf::kv {

namespace {

constexpr std::chrono::seconds after_failure{1};

// Set times are the sign of a commit, the end of a process that of one it could give no sign of.
Result<Fd> notice(const std::string& path) {
    auto signs = TRY(checked_fd(::inotify_init1(IN_CLOEXEC), "store {}: inotify", path));
    if (::inotify_add_watch(signs.get(), path.c_str(), IN_ATTRIB | IN_CLOSE_WRITE) < 0)
        return fail_os(errno, "store {}: noticing changes", path);
    return signs;
}

}  // namespace

// Reads from the file whatever was changed since, so that nothing is kept for those who are slow.
class SqliteKv::FileWatch final : public Watch {
  public:
    FileWatch(SqliteKv& store, std::string prefix, Revision after)
        : store_(store), prefix_(std::move(prefix)), position_(after) {}

    io::Task<std::vector<Change>> next() override {
        while (true) {
            auto read = [this] { return store_.records_->changes(prefix_, position_); };
            auto found = co_await store_.thread_->call(std::move(read));
            // A watch may begin at a revision that is yet to come.
            position_ = std::max(position_, found.revision);
            if (!found.changes.empty()) co_return std::move(found.changes);
            co_await store_.changed_after(found.revision);
        }
    }
    Revision position() const override { return position_; }

  private:
    SqliteKv& store_;
    std::string prefix_;
    Revision position_;
};

io::Task<std::unique_ptr<SqliteKv>> SqliteKv::open(io::Loop& loop, std::string path) {
    auto thread = co_await io::SideThread::create(loop);
    auto store = std::unique_ptr<SqliteKv>{new SqliteKv{loop, std::move(thread)}};
    auto work = [&path, &store]() -> Result<void> {
        store->records_ = std::make_unique<SqliteRecords>(TRY(open_sqlite(path)));
        store->signs_ = TRY(notice(path));
        return {};
    };
    co_await store->thread_->call(std::move(work));
    store->group_.start(store->notice_signs());
    store->group_.start(store->keep_up());
    store->stirred_.set();
    co_return store;
}

io::Task<void> SqliteKv::notice_signs() {
    // Several at once are one.
    std::array<std::byte, 4096> buffer{};
    while (true) {
        co_await loop_.read_stream(signs_.get(), buffer);
        stirred_.set();
    }
}

io::Task<void> SqliteKv::keep_up() {
    while (true) {
        co_await stirred_.wait();
        stirred_.clear();
        const auto looked = co_await look().result();
        // Whoever asks next meets the failure too. What was to be noticed still is.
        if (!looked) group_.start(stir_at(loop_.now() + after_failure));
    }
}

io::Task<void> SqliteKv::look() {
    auto read = [this] { return records_->state(); };
    const auto state = co_await thread_->call(std::move(read));
    if (state.next_end) {
        const auto due = loop_.now() + *state.next_end + std::chrono::milliseconds{1};
        if (!armed_ || due < *armed_) {
            armed_ = due;
            group_.start(stir_at(due));
        }
    }
    if (state.revision <= known_) co_return;
    known_ = state.revision;
    watchers_.wake();
}

io::Task<void> SqliteKv::stir_at(io::TimePoint time) {
    co_await loop_.sleep_until(time);
    if (armed_ == time) armed_.reset();
    stirred_.set();
}

io::Task<void> SqliteKv::changed_after(Revision revision) {
    while (known_ <= revision) co_await watchers_.wait();
}

io::Task<std::optional<Record>> SqliteKv::get(std::string key) {
    co_await check_key(key);
    auto work = [&] { return records_->get(key); };
    co_return co_await thread_->call(std::move(work));
}

io::Task<Page> SqliteKv::list(ListRequest request) {
    co_await check_list(request);
    auto work = [&] { return records_->list(request); };
    co_return co_await thread_->call(std::move(work));
}

io::Task<Revision> SqliteKv::commit(Transaction transaction) {
    co_await check_transaction(transaction);
    auto work = [&] { return records_->commit(transaction); };
    co_return co_await thread_->call(std::move(work));
}

std::unique_ptr<Watch> SqliteKv::watch(std::string prefix, Revision after) {
    return std::make_unique<FileWatch>(*this, std::move(prefix), after);
}

io::Task<Lease> SqliteKv::grant(std::chrono::seconds ttl) {
    co_await check_ttl(ttl);
    auto work = [&] { return records_->grant(ttl); };
    const auto id = co_await thread_->call(std::move(work));
    co_return Lease{id, ttl};
}

io::Task<void> SqliteKv::renew(LeaseId lease) {
    auto work = [&] { return records_->renew(lease); };
    co_await thread_->call(std::move(work));
}

io::Task<void> SqliteKv::revoke(LeaseId lease) {
    auto work = [&] { return records_->revoke(lease); };
    co_await thread_->call(std::move(work));
}

io::Task<void> SqliteKv::compact(Revision revision) {
    auto work = [&] { return records_->compact(revision); };
    co_await thread_->call(std::move(work));
}

io::Task<void> SqliteKv::shut_down() {
    group_.cancel();
    co_await group_.join();
    auto close = [this]() -> Result<void> {
        records_.reset();
        return {};
    };
    co_await thread_->call(std::move(close));
}

}  // namespace sheaf::kv
