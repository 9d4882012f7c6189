#include "store/limits.h"

#include <set>

#include "base/json_path.h"

namespace sheaf::kv {

namespace {

Result<void> check_write(const Write& write) {
    TRY(check_key(write.key));
    if (!write.value) {
        if (write.lease != 0)
            return fail(Kind::invalid, "key {}: a deletion has no lease",
                        json::in_quotes(write.key));
        return {};
    }
    if (write.value->size() > longest_value)
        return fail(Kind::invalid, "key {}: its value has {} bytes, at most {}",
                    json::in_quotes(write.key), write.value->size(), longest_value);
    return {};
}

std::string state_text(Revision modified) {
    return modified == 0 ? "not there" : fmt::format("at revision {}", modified);
}

}  // namespace

Result<void> check_key(std::string_view key) {
    if (key.empty()) return fail(Kind::invalid, "a key is empty");
    if (key.size() > longest_key)
        return fail(Kind::invalid, "key {}: has {} bytes, at most {}", json::in_quotes(key),
                    key.size(), longest_key);
    return {};
}

Result<void> check_list(const ListRequest& request) {
    if (request.prefix.size() > longest_key || request.after.size() > longest_key)
        return fail(Kind::invalid, "a prefix has at most {} bytes", longest_key);
    if (request.limit == 0 || request.limit > largest_page)
        return fail(Kind::invalid, "a page has 1 to {} records, not {}", largest_page,
                    request.limit);
    return {};
}

Result<void> check_transaction(const Transaction& transaction) {
    if (transaction.conditions.size() > most_conditions || transaction.writes.size() > most_writes)
        return fail(Kind::invalid, "a transaction of {} conditions and {} writes, at most {} each",
                    transaction.conditions.size(), transaction.writes.size(), most_writes);
    std::size_t bytes = 0;
    for (const auto& condition : transaction.conditions) {
        TRY(check_key(condition.key));
        bytes += condition.key.size();
    }
    std::set<std::string_view> written;
    for (const auto& write : transaction.writes) {
        TRY(check_write(write));
        if (!written.insert(write.key).second)
            return fail(Kind::invalid, "key {}: is written twice in one transaction",
                        json::in_quotes(write.key));
        bytes += write.key.size() + write.value.value_or("").size();
    }
    if (bytes > largest_transaction)
        return fail(Kind::invalid, "a transaction of {} bytes, at most {}", bytes,
                    largest_transaction);
    return {};
}

Result<void> check_ttl(std::chrono::seconds ttl) {
    if (ttl < std::chrono::seconds{1} || ttl > longest_lease)
        return fail(Kind::invalid, "a lease of {} s, not of 1 to {}", ttl.count(),
                    longest_lease.count());
    return {};
}

Failure not_as_expected(const Condition& condition, Revision found) {
    return fail(Kind::conflict, "key {}: is {}, not {}", json::in_quotes(condition.key),
                state_text(found), state_text(condition.modified));
}

Failure is_compacted(Revision asked, Revision oldest) {
    return fail(Kind::not_found, "revision {} is compacted: the oldest is {}", asked, oldest);
}

Failure is_yet_to_come(Revision asked, Revision newest) {
    return fail(Kind::invalid, "revision {} is yet to come: the newest is {}", asked, newest);
}

Failure no_such_lease(LeaseId lease) {
    return fail(Kind::not_found, "lease {:x}: has ended, or never was", lease);
}

std::string end_of_prefix(std::string prefix) {
    while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
    if (!prefix.empty()) ++prefix.back();
    return prefix;
}

}  // namespace sheaf::kv
