#include "store/etcd_kv.h"

#include "store/etcd_watch.h"
#include "store/limits.h"

namespace sheaf::kv {

namespace {

using Again = EtcdMembers::Again;

Failure strange(std::string_view what) {
    return fail(Kind::corrupt, "etcd: an answer with {}", what);
}

// Of what was asked for, in order.
Result<void> check_page(const ListRequest& request, const etcd::RangeAnswer& answer) {
    if (answer.header.revision == 0) return strange("no revision");
    if (answer.records.size() > request.limit) return strange("more records than were asked for");
    const auto* before = &request.after;
    for (const auto& record : answer.records) {
        if (!record.key.starts_with(request.prefix) || record.key <= *before)
            return strange("keys out of order, or others than were asked for");
        before = &record.key;
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<EtcdKv>> EtcdKv::create(io::Loop& loop, EtcdOptions options) {
    auto members = TRY(EtcdMembers::create(loop, std::move(options)));
    return std::unique_ptr<EtcdKv>{new EtcdKv{std::move(members)}};
}

io::Task<etcd::RangeAnswer> EtcdKv::range(std::string body) {
    const auto text = co_await members_->ask("/v3/kv/range", std::move(body), Again::safe);
    auto answer = co_await etcd::parse_range(text);
    co_await members_->check(answer.header);
    co_return answer;
}

io::Task<std::optional<Record>> EtcdKv::get(std::string key) {
    co_await check_key(key);
    auto answer = co_await range(etcd::get_request(key));
    if (answer.records.empty()) co_return std::nullopt;
    if (answer.records.size() > 1 || answer.records.front().key != key)
        co_await strange("another key than was asked for");
    co_return std::move(answer.records.front());
}

io::Task<Page> EtcdKv::list(ListRequest request) {
    co_await check_list(request);
    while (true) {
        auto answered = co_await range(etcd::list_request(request)).result();
        if (!answered && answered.error().kind() == Kind::exhausted && request.limit > 1) {
            request.limit /= 2;
            continue;
        }
        auto answer = co_await std::move(answered);
        co_await check_page(request, answer);
        const auto at = request.at == 0 ? answer.header.revision : request.at;
        co_return Page{std::move(answer.records), at, answer.more};
    }
}

io::Task<Revision> EtcdKv::commit(Transaction transaction) {
    co_await check_transaction(transaction);
    auto body = etcd::commit_request(transaction);
    const auto text = co_await members_->ask("/v3/kv/txn", std::move(body), Again::never);
    const auto answer = co_await etcd::parse_commit(text);
    co_await members_->check(answer.header);
    if (answer.succeeded) co_return answer.header.revision;
    const auto& conditions = transaction.conditions;
    for (std::size_t i = 0; i < std::min(conditions.size(), answer.found.size()); ++i)
        if (conditions[i].modified != answer.found[i])
            co_await not_as_expected(conditions[i], answer.found[i]);
    co_await strange("a condition that does not hold, and no word on which");
    std::unreachable();
}

std::unique_ptr<Watch> EtcdKv::watch(std::string prefix, Revision after) {
    return std::make_unique<EtcdWatch>(*members_, std::move(prefix), after);
}

io::Task<Lease> EtcdKv::grant(std::chrono::seconds ttl) {
    co_await check_ttl(ttl);
    const auto text =
        co_await members_->ask("/v3/lease/grant", etcd::grant_request(ttl), Again::never);
    const auto answer = co_await etcd::parse_grant(text);
    co_await members_->check(answer.header);
    co_return Lease{answer.id, answer.ttl};
}

io::Task<void> EtcdKv::renew(LeaseId lease) {
    const auto text =
        co_await members_->ask("/v3/lease/keepalive", etcd::lease_request(lease), Again::safe);
    const auto answer = co_await etcd::parse_renewal(text);
    co_await members_->check(answer.header);
    if (answer.ttl == std::chrono::seconds{0}) co_await no_such_lease(lease);
}

io::Task<void> EtcdKv::revoke(LeaseId lease) {
    const auto text =
        co_await members_->ask("/v3/lease/revoke", etcd::lease_request(lease), Again::never);
    co_await members_->check(co_await etcd::parse_done(text));
}

io::Task<void> EtcdKv::compact(Revision revision) {
    auto body = etcd::compact_request(revision);
    auto done = co_await members_->ask("/v3/kv/compaction", std::move(body), Again::safe).result();
    // Compacted already, which is what was asked for.
    if (!done && done.error().kind() == Kind::not_found) co_return;
    co_await members_->check(co_await etcd::parse_done(co_await std::move(done)));
}

io::Task<void> EtcdKv::shut_down() {
    co_return;
}

}  // namespace sheaf::kv
