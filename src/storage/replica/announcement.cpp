#include "storage/replica/announcement.h"

#include "io/time_limit.h"

namespace sheaf::replica {

namespace {

constexpr auto interval = std::chrono::seconds{1};
constexpr auto renewal = Announcement::lifetime / 3;
constexpr auto patience = std::chrono::seconds{3};

}  // namespace

io::Task<void> Announcement::run() {
    while (!superseded_) {
        const auto kept = co_await keep_lease().result();
        if (!kept && kept.error().kind() == Kind::cancelled) co_await Failure{Error{kept.error()}};
        if (kept) {
            const auto told = co_await tell().result();
            if (!told && told.error().kind() == Kind::cancelled)
                co_await Failure{Error{told.error()}};
        }
        co_await loop_.sleep(interval);
    }
}

io::Task<void> Announcement::keep_lease() {
    const auto now = loop_.now();
    if (lease_ != 0 && now - renewed_ < renewal) co_return;
    if (lease_ != 0) {
        const auto renewed = co_await store_.renew(lease_).result();
        if (renewed) renewed_ = now;
        if (renewed || renewed.error().kind() != Kind::not_found) co_return;
    }
    const auto granted = co_await store_.grant(lifetime);
    lease_ = granted.id;
    renewed_ = now;
    told_.reset();
}

io::Task<void> Announcement::tell() {
    auto report = engine_.report();
    if (told_ == report) co_return;
    auto key = key_;
    const auto found = co_await store_.get(std::move(key));
    const auto other = found ? parse_attachment(found->value) : Result<Attachment>{Attachment{}};
    if (other && other->epoch > report.epoch) {
        superseded_ = true;
        co_return;
    }
    kv::Transaction transaction;
    transaction.conditions.push_back({key_, found ? found->modified : 0});
    transaction.writes.push_back({key_, encode_attachment(report), lease_});
    co_await store_.commit(std::move(transaction));
    told_ = std::move(report);
}

io::Task<void> Announcement::end() {
    if (lease_ == 0) co_return;
    auto revoking = store_.revoke(std::exchange(lease_, 0));
    static_cast<void>(co_await io::within(loop_, patience, std::move(revoking)).result());
}

}  // namespace sheaf::replica
