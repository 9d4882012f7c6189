#include "storage/replica/membership.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/json.h"
#include "storage/replica/messages.h"

namespace sheaf::replica {

namespace {

constexpr std::size_t longest_record = 64 << 10;

Member* find_in(Membership& membership, std::string_view node) {
    const auto found = std::ranges::find(membership.members, node, &Member::node);
    return found == membership.members.end() ? nullptr : &*found;
}

std::size_t count(const Membership& membership, MemberState state) {
    return static_cast<std::size_t>(std::ranges::count(membership.members, state, &Member::state));
}

// The member, where it is in the state that the change begins with. Not a conflict, which is to be
// told from that with another engine.
Result<Member*> expect(Membership& membership, std::string_view node, MemberState state) {
    auto* member = find_in(membership, node);
    if (!member) return fail(Kind::not_found, "{} is no member of the volume", node);
    if (member->state != state)
        return fail(Kind::invalid, "{} is {}, not {}", node,
                    boost::describe::enum_to_string(member->state, "?"),
                    boost::describe::enum_to_string(state, "?"));
    return member;
}

Result<void> expect_incarnation(std::string_view node, std::uint64_t incarnation) {
    if (incarnation != 0) return {};
    return fail(Kind::invalid, "{} has no incarnation", node);
}

// The generation is that in which it left: the last one that it was part of.
void take_out(Membership& membership, Member& member) {
    if (member.state == MemberState::in_sync) member.left = membership.generation;
    member.state = MemberState::removed;
}

Result<Membership> changed(Membership membership) {
    ++membership.generation;
    TRY(check(membership));
    return membership;
}

Result<void> check_members(const Membership& membership) {
    const auto& members = membership.members;
    if (members.empty() || members.size() > most_members)
        return fail(Kind::corrupt, "/members: {} of them", members.size());
    for (const auto& member : members) {
        if (!check_node_name(member.node))
            return fail(Kind::corrupt, "/members: a name that is none");
        if (std::ranges::count(members, member.node, &Member::node) > 1)
            return fail(Kind::corrupt, "/members: {} twice", member.node);
        if (member.left > membership.generation)
            return fail(Kind::corrupt, "/members: {} left in a generation to come", member.node);
    }
    if (count(membership, MemberState::in_sync) == 0)
        return fail(Kind::corrupt, "/members: none is in sync");
    return {};
}

}  // namespace

const Member* Membership::find(std::string_view node) const {
    const auto found = std::ranges::find(members, node, &Member::node);
    return found == members.end() ? nullptr : &*found;
}

std::vector<std::string> Membership::nodes(MemberState state) const {
    std::vector<std::string> found;
    for (const auto& member : members)
        if (member.state == state) found.push_back(member.node);
    return found;
}

std::string membership_key(std::string_view volume) {
    return fmt::format("volumes/{}/membership", volume);
}

std::string text_of(const volume::Id& id) {
    std::string text;
    for (const auto byte : id) text += fmt::format("{:02x}", byte);
    return text;
}

Result<volume::Id> parse_id(std::string_view text) {
    volume::Id id{};
    const auto digit = [](char letter) -> int {
        if (letter >= '0' && letter <= '9') return letter - '0';
        if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
        return -1;
    };
    if (text.size() != 2 * id.size()) return fail(Kind::corrupt, "/id: 32 hexadecimal digits");
    for (std::size_t index = 0; index < id.size(); ++index) {
        const auto high = digit(text[2 * index]);
        const auto low = digit(text[2 * index + 1]);
        if (high < 0 || low < 0) return fail(Kind::corrupt, "/id: 32 hexadecimal digits");
        id.at(index) = static_cast<std::uint8_t>(high * 16 + low);
    }
    if (id == volume::Id{}) return fail(Kind::corrupt, "/id: all zeros");
    return id;
}

Result<void> check(const Membership& membership) {
    if (membership.version != 1)
        return fail(Kind::unsupported, "/version: {} is not known here", membership.version);
    TRY(parse_id(membership.id));
    if (membership.size == 0 || membership.size % unit != 0 || membership.size > volume::most_bytes)
        return fail(Kind::corrupt, "/size: {} bytes", membership.size);
    TRY(check_members(membership));
    if (membership.minimum == 0 || membership.minimum > membership.members.size())
        return fail(Kind::corrupt, "/minimum: {} of {} members", membership.minimum,
                    membership.members.size());
    if (membership.engine.empty() != (membership.epoch == 0))
        return fail(Kind::corrupt, "/engine: {:?} in epoch {}", membership.engine,
                    membership.epoch);
    if (!membership.engine.empty() && !check_node_name(membership.engine))
        return fail(Kind::corrupt, "/engine: a name that is none");
    if (membership.epoch > membership.generation)
        return fail(Kind::corrupt, "/epoch: {} in generation {}", membership.epoch,
                    membership.generation);
    return {};
}

Result<Membership> parse_membership(std::string_view text) {
    if (text.size() > longest_record)
        return fail(Kind::corrupt, "a membership record of {} bytes", text.size());
    auto membership = sheaf::decode<Membership>(text);
    if (!membership)
        return fail(Kind::corrupt, "a membership record: {}", membership.error().text());
    TRY_WITHIN(check(*membership), "a membership record");
    return membership;
}

std::string encode_membership(const Membership& membership) {
    return sheaf::encode(membership);
}

Result<Membership> create(const NewMembership& wanted) {
    Membership membership;
    membership.id = text_of(wanted.id);
    membership.size = wanted.size;
    membership.minimum = wanted.minimum;
    for (const auto& node : wanted.nodes) {
        TRY(check_node_name(node));
        membership.members.push_back({node, MemberState::in_sync, 0, 0});
    }
    return changed(std::move(membership));
}

Result<Membership> activate(Membership now, std::string_view node, std::uint64_t instance) {
    TRY(check_node_name(node));
    for (auto& member : now.members)
        if (member.state == MemberState::joining) take_out(now, member);
    ++now.epoch;
    now.engine = node;
    now.instance = instance;
    return changed(std::move(now));
}

Result<Membership> settle(Membership now, const std::vector<Alike>& alike, Began began) {
    if (began == Began::from_loss) ++now.losses;
    for (const auto& [node, incarnation] : alike) {
        auto* member = TRY(expect(now, node, MemberState::in_sync));
        TRY(expect_incarnation(node, incarnation));
        member->incarnation = incarnation;
    }
    for (auto& member : now.members)
        if (member.state == MemberState::in_sync &&
            std::ranges::find(alike, member.node, &Alike::node) == alike.end())
            take_out(now, member);
    const auto left = count(now, MemberState::in_sync);
    if (left < now.minimum)
        return fail(Kind::exhausted, "{} copies would be in sync, {} have to be", left,
                    now.minimum);
    return changed(std::move(now));
}

Result<Membership> remove(Membership now, std::string_view node) {
    auto* member = TRY(expect(now, node, MemberState::in_sync));
    if (count(now, MemberState::in_sync) <= now.minimum)
        return fail(Kind::exhausted, "without {} fewer than {} copies would be in sync", node,
                    now.minimum);
    take_out(now, *member);
    return changed(std::move(now));
}

Result<Membership> join(Membership now, std::string_view node, std::uint64_t incarnation) {
    auto* member = TRY(expect(now, node, MemberState::removed));
    TRY(expect_incarnation(node, incarnation));
    member->state = MemberState::joining;
    member->incarnation = incarnation;
    return changed(std::move(now));
}

Result<Membership> promote(Membership now, std::string_view node) {
    auto* member = TRY(expect(now, node, MemberState::joining));
    member->state = MemberState::in_sync;
    member->left = 0;
    return changed(std::move(now));
}

Result<Membership> leave(Membership now, std::string_view node) {
    auto* member = TRY(expect(now, node, MemberState::joining));
    take_out(now, *member);
    return changed(std::move(now));
}

Result<Membership> renew(Membership now, std::string_view node, std::uint64_t incarnation) {
    auto* member = TRY(expect(now, node, MemberState::in_sync));
    TRY(expect_incarnation(node, incarnation));
    member->incarnation = incarnation;
    return changed(std::move(now));
}

// Its engine of before is over, as with an activation; one copy is enough from now on.
Result<Membership> salvage(Membership now, std::string_view node, std::uint64_t instance) {
    if (!now.find(node)) return fail(Kind::invalid, "{} is no member", node);
    for (auto& member : now.members) {
        if (member.node == node) {
            member.state = MemberState::in_sync;
            member.incarnation = member.left = 0;
        } else if (member.state != MemberState::removed) {
            take_out(now, member);
        }
    }
    ++now.epoch;
    now.engine = node;
    now.instance = instance;
    now.minimum = 1;
    return changed(std::move(now));
}

}  // namespace sheaf::replica
