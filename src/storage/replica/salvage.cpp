#include "storage/replica/salvage.h"

#include "base/bytes.h"
#include "storage/pool/id.h"
#include "storage/replica/attachment.h"

namespace sheaf::replica {

namespace {

// What the record knows of it; what is on its disks nobody asks here.
std::string cost_of(const Membership& now, const Member& member) {
    if (member.state == MemberState::in_sync)
        return fmt::format(
            "the copy of node {} has all that was answered, but for what was not flushed where its "
            "host has crashed since",
            member.node);
    if (member.left == 0)
        return fmt::format("the copy of node {} was never in sync: nothing of it may make sense",
                           member.node);
    return fmt::format(
        "the copy of node {} left in generation {} of {}: what was written since is lost, and "
        "where a rebuild was cut short it has some of that and lacks the rest",
        member.node, member.left, now.generation);
}

std::string names_of(const Membership& membership) {
    std::string names;
    for (const auto& member : membership.members)
        names += (names.empty() ? "" : ", ") + member.node;
    return names;
}

io::Task<void> expect_detached(kv::Kv& store, std::string volume) {
    auto key = attachment_key(volume);
    const auto attached = co_await store.get(std::move(key));
    if (attached)
        co_await fail(Kind::conflict, "volume {}: it is attached to node {}", volume,
                      parse_attachment(attached->value).value_or(Attachment{}).node);
}

}  // namespace

io::Task<Salvage> plan_salvage(kv::Kv& store, std::string volume, std::string node) {
    auto key = membership_key(volume);
    const auto found = co_await store.get(std::move(key));
    if (!found)
        co_await fail(Kind::not_found, "volume {}: the store has none of that name", volume);
    const auto now = co_await parse_membership(found->value);
    const auto* member = now.find(node);
    if (!member)
        co_await fail(Kind::invalid, "volume {}: has no copy on node {}; it has them on {}", volume,
                      node, names_of(now));
    co_await expect_detached(store, volume);
    const auto drawn = co_await pool::make_id();
    const auto instance = load<std::uint64_t>(std::as_bytes(std::span{drawn}).first(8)) >> 1;
    Salvage salvage;
    salvage.next = co_await replica::salvage(now, node, instance);
    salvage.revision = found->modified;
    salvage.cost = cost_of(now, *member);
    salvage.volume = std::move(volume);
    co_return salvage;
}

io::Task<void> carry_out(kv::Kv& store, Salvage salvage) {
    const auto key = membership_key(salvage.volume);
    kv::Transaction transaction;
    transaction.conditions = {{key, salvage.revision}, {attachment_key(salvage.volume), 0}};
    transaction.writes.push_back({key, encode_membership(salvage.next), 0});
    const auto done = co_await store.commit(std::move(transaction)).result();
    if (!done) co_await Failure{Error{done.error()}.within("volume " + salvage.volume)};
}

}  // namespace sheaf::replica
