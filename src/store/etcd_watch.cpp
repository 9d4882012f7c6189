#include "store/etcd_watch.h"

#include <algorithm>

#include "base/json_path.h"
#include "io/time_limit.h"
#include "store/limits.h"

namespace sheaf::kv {

void EtcdWatch::let_go() {
    connection_.reset();
    received_.clear();
    looked_at_ = 0;
    pending_.clear();
}

// Asks every member once before it gives up for now.
io::Task<std::vector<Change>> EtcdWatch::next() {
    for (std::size_t attempt = 0;; ++attempt) {
        auto found = co_await receive().result();
        if (found) co_return *std::move(found);
        const auto kind = found.error().kind();
        if (kind == Kind::cancelled) co_await Failure{found.error()};
        const auto had_connection = connection_ != nullptr;
        let_go();
        if (had_connection) members_.leave(member_);
        if (!EtcdMembers::is_of_the_way(kind)) co_await Failure{found.error()};
        if (attempt < members_.count()) continue;
        co_await Failure{Error{Kind::unavailable, found.error().text()}};
    }
}

io::Task<std::vector<Change>> EtcdWatch::receive() {
    while (true) {
        if (!connection_) co_await open();
        const auto text = co_await line_of_living();
        auto answer = etcd::parse_watch(text);
        if (!answer) co_await Failure{members_.of_member(member_, answer.error())};
        auto changes = co_await take(*std::move(answer));
        if (!changes.empty()) co_return changes;
    }
}

io::Task<void> EtcdWatch::open() {
    // Kept once it is a watch: who is cancelled before begins anew.
    const auto member = members_.current();
    auto connection = co_await members_.connect(member);
    auto asking = EtcdMembers::request("/v3/watch", etcd::watch_request(prefix_, position_));
    auto begun = connection->begin(std::move(asking));
    const auto status =
        co_await io::within(members_.loop(), members_.options().answer_limit, std::move(begun))
            .result();
    if (!status || *status != 200) {
        members_.leave(member);
        auto error = status ? etcd::failure_of(*status, "").error() : status.error();
        co_await Failure{members_.of_member(member, std::move(error))};
    }
    connection_ = std::move(connection);
    member_ = member;
}

// The next line of the connection; what has come of one is kept where the wait is cancelled.
io::Task<std::string> EtcdWatch::line() {
    while (true) {
        const auto end = received_.find('\n', looked_at_);
        if (end != received_.npos) {
            auto found = received_.substr(0, end);
            received_.erase(0, end + 1);
            looked_at_ = 0;
            co_return found;
        }
        looked_at_ = received_.size();
        if (received_.size() > EtcdMembers::largest_answer)
            co_await fail(Kind::corrupt, "a line of more than {} bytes",
                          EtcdMembers::largest_answer);
        const auto more = co_await connection_->piece();
        if (!more) co_await fail(Kind::unavailable, "the watch has ended");
        received_ += *more;
    }
}

io::Task<std::string> EtcdWatch::line_of_living() {
    while (true) {
        auto waited =
            co_await io::within(members_.loop(), members_.options().silence_limit, line()).result();
        if (waited) co_return *std::move(waited);
        if (waited.error().kind() != Kind::timed_out)
            co_await Failure{members_.of_member(member_, std::move(waited).error())};
        co_await members_.probe(member_);
    }
}

// What can be given away: all, or where more may follow all but the last revision.
Result<std::vector<Change>> EtcdWatch::take(etcd::WatchAnswer answer) {
    TRY(members_.check(answer.header));
    if (answer.compacted != 0) return is_compacted(position_, answer.compacted);
    if (answer.cancelled)
        return fail(Kind::unavailable, "etcd ended the watch: {}", json::in_quotes(answer.reason));
    auto last = pending_.empty() ? position_ + 1 : pending_.back().revision;
    for (auto& change : answer.changes) {
        if (change.revision < last || !change.key.starts_with(prefix_))
            return fail(Kind::corrupt, "etcd: a watch after revision {} tells of {} in revision {}",
                        position_, json::in_quotes(change.key), change.revision);
        last = change.revision;
        pending_.push_back(std::move(change));
    }
    if (pending_.empty()) return std::vector<Change>{};
    auto whole = pending_.end();
    if (answer.fragment) whole = std::ranges::find(pending_, last, &Change::revision);
    std::vector<Change> given{std::make_move_iterator(pending_.begin()),
                              std::make_move_iterator(whole)};
    pending_.erase(pending_.begin(), whole);
    if (!given.empty()) position_ = given.back().revision;
    return given;
}

}  // namespace sheaf::kv
