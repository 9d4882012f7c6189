#include "sim/sim_store.h"

#include <algorithm>

#include "store/limits.h"

namespace sheaf::sim {

using kv::Change;
using kv::LeaseId;
using kv::Record;
using kv::Revision;
using kv::Write;

const SimStore::Version* SimStore::version_at(const std::vector<Version>& versions, Revision at) {
    const auto behind = std::ranges::upper_bound(versions, at, {}, &Version::revision);
    return behind == versions.begin() ? nullptr : &*std::prev(behind);
}

std::optional<Record> SimStore::record_at(const std::string& key, Revision at) const {
    const auto found = versions_.find(key);
    if (found == versions_.end()) return std::nullopt;
    const auto* version = version_at(found->second, at);
    return version ? version->record : std::nullopt;
}

std::optional<Record> SimStore::get(const std::string& key) const {
    return record_at(key, revision_);
}

Result<kv::Page> SimStore::list(const kv::ListRequest& request) const {
    const auto at = request.at == 0 ? revision_ : request.at;
    if (at > revision_) return kv::is_yet_to_come(at, revision_);
    if (at < compacted_) return kv::is_compacted(at, compacted_);
    kv::Page page{.records = {}, .revision = at, .more = false};
    for (auto place = versions_.lower_bound(request.prefix);
         place != versions_.end() && place->first.starts_with(request.prefix); ++place) {
        if (!request.after.empty() && place->first <= request.after) continue;
        const auto* version = version_at(place->second, at);
        if (!version || !version->record) continue;
        page.more = page.records.size() == request.limit;
        if (page.more) break;
        page.records.push_back(*version->record);
    }
    return page;
}

bool SimStore::apply(const Write& write, Revision revision) {
    const auto found = get(write.key);
    if (!write.value && !found) return false;
    auto& versions = versions_[write.key];
    auto& version = versions.emplace_back(Version{revision, std::nullopt});
    if (write.value)
        version.record = Record{.key = write.key,
                                .value = *write.value,
                                .created = found ? found->created : revision,
                                .modified = revision,
                                .lease = write.lease};
    written_.emplace(revision, write.key);
    return true;
}

Result<Revision> SimStore::commit(const kv::Transaction& transaction) {
    for (const auto& condition : transaction.conditions) {
        const auto found = get(condition.key);
        const auto modified = found ? found->modified : 0;
        if (modified != condition.modified) return kv::not_as_expected(condition, modified);
    }
    for (const auto& write : transaction.writes)
        if (write.lease != 0 && !leases_.contains(write.lease))
            return kv::no_such_lease(write.lease);
    const auto revision = revision_ + 1;
    auto changes = false;
    for (const auto& write : transaction.writes) changes = apply(write, revision) || changes;
    if (!changes) return revision_;
    revision_ = revision;
    changed_.wake();
    return revision;
}

Result<std::vector<Change>> SimStore::changes(const std::string& prefix, Revision after) const {
    if (after < compacted_) return kv::is_compacted(after, compacted_);
    std::vector<Change> found;
    for (auto place = written_.upper_bound(after); place != written_.end(); ++place) {
        const auto& [revision, key] = *place;
        if (!key.starts_with(prefix)) continue;
        found.push_back({key, revision, record_at(key, revision), record_at(key, revision - 1)});
    }
    return found;
}

Result<void> SimStore::compact(Revision revision) {
    if (revision > revision_) return kv::is_yet_to_come(revision, revision_);
    if (revision <= compacted_) return {};
    compacted_ = revision;
    for (auto& [key, versions] : versions_) {
        // What was superseded by then goes, and what was deleted by then.
        auto kept = std::ranges::upper_bound(versions, revision, {}, &Version::revision);
        if (kept != versions.begin() && std::prev(kept)->record) --kept;
        versions.erase(versions.begin(), kept);
    }
    std::erase_if(versions_, [](const auto& entry) { return entry.second.empty(); });
    written_.erase(written_.begin(), written_.upper_bound(revision));
    return {};
}

LeaseId SimStore::grant(std::chrono::seconds ttl) {
    const auto lease = ++last_lease_;
    leases_[lease] = {ttl, loop_.now() + ttl};
    group_.start(end_when_due(lease));
    return lease;
}

Result<void> SimStore::renew(LeaseId lease) {
    const auto found = leases_.find(lease);
    if (found == leases_.end()) return kv::no_such_lease(lease);
    found->second.deadline = loop_.now() + found->second.ttl;
    return {};
}

Result<void> SimStore::revoke(LeaseId lease) {
    if (!leases_.contains(lease)) return kv::no_such_lease(lease);
    end_lease(lease);
    return {};
}

void SimStore::end_lease(LeaseId lease) {
    leases_.erase(lease);
    kv::Transaction deletions;
    for (const auto& [key, versions] : versions_)
        if (versions.back().record && versions.back().record->lease == lease)
            deletions.writes.push_back({.key = key, .value = {}, .lease = 0});
    // It has no conditions and names no lease, so it cannot fail.
    static_cast<void>(commit(deletions));
}

io::Task<void> SimStore::end_when_due(LeaseId lease) {
    for (auto found = leases_.find(lease); found != leases_.end(); found = leases_.find(lease)) {
        const auto deadline = found->second.deadline;
        if (loop_.now() >= deadline) {
            end_lease(lease);
        } else {
            co_await loop_.sleep_until(deadline);
        }
    }
}

io::Task<void> SimStore::shut_down() {
    group_.cancel();
    co_await group_.join();
}

}  // namespace sheaf::sim
