#include "storage/replica/provisioning.h"

#include <algorithm>

#include "io/time_limit.h"
#include "storage/pool/id.h"
#include "storage/replica/attachment.h"
#include "storage/replica/membership.h"
#include "storage/replica/remote_replica.h"

namespace sheaf::replica {

namespace {

constexpr auto patience_to_reach = std::chrono::seconds{10};
constexpr auto patience_to_do = std::chrono::seconds{60};

// A record of copies that is in the store.
struct Stored {
    CopiesRecord record;
    kv::Revision revision = 0;
};

enum class Deed : std::uint8_t { create, remove };

io::Task<std::unique_ptr<io::ByteStream>> reach(Dialer& dialer, CopyPlace place) {
    const auto address = co_await parse_address(place.address);
    auto dialing = dialer.open(address, std::move(place.node));
    co_return co_await io::within(dialer.loop(), patience_to_reach, std::move(dialing));
}

// `reached` says whether the node may have begun.
io::Task<void> ask(Dialer& dialer, Deed deed, CopyPlace place, std::string name,
                   const CopiesRecord& record, bool& reached) {
    auto stream = co_await reach(dialer, place);
    reached = true;
    CopyRequest request;
    request.volume = co_await parse_id(record.id);
    request.node = std::move(place.node);
    request.name = std::move(name);
    auto asking = deed == Deed::create ? RemoteReplica::make_copy(dialer.loop(), std::move(stream),
                                                                  std::move(request), record.size)
                                       : RemoteReplica::remove_copy(
                                             dialer.loop(), std::move(stream), std::move(request));
    co_await io::within(dialer.loop(), patience_to_do, std::move(asking));
}

struct Answer {
    bool reached = false;
    Result<void> outcome;
};

io::Task<void> note(io::Task<void> asking, Result<void>& outcome) {
    outcome = co_await std::move(asking).result();
}

// All nodes at the same time; each has its answer.
io::Task<std::vector<Answer>> ask_all(Dialer& dialer, Deed deed, std::string name,
                                      CopiesRecord record) {
    std::vector<Answer> answers(record.copies.size());
    io::TaskGroup group;
    for (std::size_t index = 0; index < answers.size(); ++index) {
        auto& answer = answers[index];
        group.start(note(ask(dialer, deed, record.copies[index], name, record, answer.reached),
                         answer.outcome));
    }
    co_await group.join();
    co_return answers;
}

Error told_by(const CopyPlace& place, const Error& error) {
    return Error{error}.within(fmt::format("node {} at {}", place.node, place.address));
}

io::Task<std::optional<Stored>> load(kv::Kv& store, std::string name) {
    auto key = copies_key(name);
    const auto found = co_await store.get(std::move(key));
    if (!found) co_return std::nullopt;
    auto record = co_await parse_copies(found->value);
    co_return Stored{std::move(record), found->modified};
}

// Whether an answer that never came was of a change that was made is seen in the record.
io::Task<Stored> commit(kv::Kv& store, std::string name, kv::Transaction transaction,
                        CopiesRecord next) {
    auto committed = co_await store.commit(std::move(transaction)).result();
    if (committed) co_return Stored{std::move(next), *committed};
    auto found = co_await load(store, std::move(name));
    if (!found || !(found->record == next)) co_await std::move(committed);
    co_return *std::move(found);
}

io::Task<Stored> claim_name(kv::Kv& store, std::string name, CopiesRecord record) {
    kv::Transaction transaction;
    transaction.conditions = {{copies_key(name), 0}, {membership_key(name), 0}};
    transaction.writes.push_back({copies_key(name), encode_copies(record), 0});
    auto claimed = co_await commit(store, name, std::move(transaction), std::move(record)).result();
    if (!claimed && claimed.error().kind() == Kind::conflict) {
        const auto found = co_await load(store, name);
        if (found && found->record.state != CopiesState::kept)
            co_await fail(Kind::exists,
                          "volume {}: was begun or deleted, and not to the end; "
                          "volume delete {} ends it",
                          name, name);
        co_await fail(Kind::exists, "volume {}: exists already", name);
    }
    co_return co_await std::move(claimed);
}

// The record goes with the last copy.
io::Task<void> remove_all(kv::Kv& store, Dialer& dialer, std::string name, Stored doomed) {
    const auto answers = co_await ask_all(dialer, Deed::remove, name, doomed.record);
    for (std::size_t index = 0; index < answers.size(); ++index) {
        const auto& outcome = answers[index].outcome;
        if (outcome) continue;
        const auto why = told_by(doomed.record.copies[index], outcome.error());
        co_await fail(Kind::unavailable, "a copy is left, and goes with the next volume delete: {}",
                      why.text());
    }
    kv::Transaction transaction;
    transaction.conditions.push_back({copies_key(name), doomed.revision});
    transaction.writes.push_back({copies_key(name), std::nullopt, 0});
    co_await store.commit(std::move(transaction));
}

// A node that was never reached has nothing, and one that refused has made nothing.
bool may_have_made(const Answer& answer) {
    if (answer.outcome || !answer.reached) return answer.reached;
    switch (answer.outcome.error().kind()) {
        case Kind::invalid:
        case Kind::not_found:
        case Kind::exists:
        case Kind::conflict:
        case Kind::denied:
        case Kind::unsupported: return false;
        default: return true;
    }
}

io::Task<void> undo(kv::Kv& store, Dialer& dialer, std::string name, Stored begun,
                    std::vector<Answer> answers) {
    auto next = begun.record;
    next.state = CopiesState::deleting;
    std::erase_if(next.copies, [&](const CopyPlace& place) {
        const auto index = begun.record.find(place.node) - begun.record.copies.data();
        return !may_have_made(answers[static_cast<std::size_t>(index)]);
    });
    kv::Transaction transaction;
    transaction.conditions.push_back({copies_key(name), begun.revision});
    const auto nothing = next.copies.empty();
    if (nothing) {
        transaction.writes.push_back({copies_key(name), std::nullopt, 0});
        co_await store.commit(std::move(transaction));
        co_return;
    }
    transaction.writes.push_back({copies_key(name), encode_copies(next), 0});
    auto doomed = co_await commit(store, name, std::move(transaction), std::move(next));
    co_await remove_all(store, dialer, std::move(name), std::move(doomed));
}

io::Task<void> finish(kv::Kv& store, const NewReplicatedVolume& wanted, Stored begun) {
    NewMembership membership;
    membership.id = co_await parse_id(begun.record.id);
    membership.size = wanted.size;
    membership.minimum = wanted.minimum;
    for (const auto& copy : wanted.copies) membership.nodes.push_back(copy.node);
    const auto first = co_await create(membership);
    auto next = begun.record;
    next.state = CopiesState::kept;
    kv::Transaction transaction;
    transaction.conditions = {{copies_key(wanted.name), begun.revision},
                              {membership_key(wanted.name), 0}};
    transaction.writes.push_back({copies_key(wanted.name), encode_copies(next), 0});
    transaction.writes.push_back({membership_key(wanted.name), encode_membership(first), 0});
    static_cast<void>(co_await commit(store, wanted.name, std::move(transaction), std::move(next)));
}

}  // namespace

std::uint32_t usual_minimum(std::size_t copies) {
    return static_cast<std::uint32_t>((copies + 1) / 2);
}

io::Task<void> create_replicated(kv::Kv& store, Dialer& dialer, NewReplicatedVolume wanted) {
    CopiesRecord record;
    const auto id = co_await pool::make_id();
    record.id = text_of(id);
    record.size = wanted.size;
    record.copies = wanted.copies;
    const auto begun = co_await claim_name(store, wanted.name, std::move(record));
    auto answers = co_await ask_all(dialer, Deed::create, wanted.name, begun.record);
    const auto failed = std::ranges::find_if(
        answers, [](const Answer& answer) { return !answer.outcome.has_value(); });
    if (failed == answers.end()) co_return co_await finish(store, wanted, begun);
    const auto& place = wanted.copies[static_cast<std::size_t>(failed - answers.begin())];
    auto why = told_by(place, failed->outcome.error()).within("volume " + wanted.name);
    const auto undone =
        co_await undo(store, dialer, wanted.name, begun, std::move(answers)).result();
    if (!undone) co_await fail(why.kind(), "{}; {}", why.text(), undone.error().text());
    co_await Failure{std::move(why)};
}

io::Task<void> delete_replicated(kv::Kv& store, Dialer& dialer, std::string name) {
    auto found = co_await load(store, name);
    if (!found) co_await fail(Kind::not_found, "volume {}: the store has none of that name", name);
    const auto membership = co_await store.get(membership_key(name));
    const auto attached = co_await store.get(attachment_key(name));
    if (attached)
        co_await fail(Kind::conflict, "volume {}: it is attached to node {}", name,
                      parse_attachment(attached->value).value_or(Attachment{}).node);
    auto next = found->record;
    next.state = CopiesState::deleting;
    kv::Transaction transaction;
    transaction.conditions = {{copies_key(name), found->revision},
                              {membership_key(name), membership ? membership->modified : 0},
                              {attachment_key(name), 0}};
    transaction.writes.push_back({copies_key(name), encode_copies(next), 0});
    if (membership) transaction.writes.push_back({membership_key(name), std::nullopt, 0});
    auto doomed = co_await commit(store, name, std::move(transaction), std::move(next));
    co_await remove_all(store, dialer, std::move(name), std::move(doomed));
}

}  // namespace sheaf::replica
