#include "storage/replica/record.h"

namespace sheaf::replica {

namespace {

constexpr auto pause = std::chrono::milliseconds{100};

// Says of a failed transaction that it was not carried out, and never will be.
bool was_refused(Kind kind) {
    return kind == Kind::invalid || kind == Kind::exhausted || kind == Kind::denied ||
           kind == Kind::unsupported || kind == Kind::not_found;
}

}  // namespace

io::Task<void> Record::load() {
    auto key = key_;
    const auto record = co_await store_.get(std::move(key));
    if (!record) co_await fail(Kind::not_found, "there is no record {}", key_);
    now_ = co_await parse_membership(record->value);
    revision_ = record->modified;
}

io::Task<void> Record::change(Membership next) {
    while (true) {
        kv::Transaction transaction;
        transaction.conditions.push_back({key_, revision_});
        if (broken(mutation_, Mutation::removal_without_condition)) transaction.conditions.clear();
        transaction.writes.push_back({key_, encode_membership(next), 0});
        auto revision = co_await store_.commit(std::move(transaction)).result();
        if (revision) {
            now_ = std::move(next);
            revision_ = *revision;
            co_return;
        }
        if (was_refused(revision.error().kind())) co_await std::move(revision);
        co_await settle_doubt(next);
        if (now_ == next) co_return;
    }
}

// An answer that never came, or a conflict, which may be with this very change. Where the record is
// as it was before the change is tried again, with the condition that lets it happen once at most.
io::Task<void> Record::settle_doubt(const Membership& next) {
    const auto before = revision_;
    const auto was = now_;
    while (true) {
        const auto loaded = co_await load().result();
        if (loaded) break;
        const auto kind = loaded.error().kind();
        if (kind == Kind::cancelled || kind == Kind::corrupt || kind == Kind::not_found)
            co_await Failure{Error{loaded.error()}};
        co_await loop_.sleep(pause);
    }
    if (now_ == next || revision_ == before) co_return;
    if (now_.epoch > was.epoch || now_.instance != was.instance)
        co_await fail(Kind::conflict, "epoch {} was superseded by {} of {}", was.epoch, now_.epoch,
                      now_.engine);
    co_await fail(Kind::unavailable, "the membership was changed by somebody else");
}

io::Task<void> Record::look() {
    const auto was = now_;
    const auto loaded = co_await load().result();
    if (loaded && (now_.epoch != was.epoch || now_.instance != was.instance))
        co_await fail(Kind::conflict, "epoch {} was superseded by {} of {}", was.epoch, now_.epoch,
                      now_.engine);
    if (!loaded && loaded.error().kind() == Kind::cancelled)
        co_await Failure{Error{loaded.error()}};
}

}  // namespace sheaf::replica
