#pragma once

// Why: which copies of a volume count, and who may write them, decides whether an answered write
// is ever lost. It is a value, and each change a function that refuses what is not allowed; so all
// of it is tested without a store, a network or a disk. What: docs/formats/membership.md.

#include <cstdint>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "base/result.h"
#include "storage/volume/format.h"

namespace sheaf::replica {

enum class MemberState : std::uint8_t { in_sync, joining, removed };
BOOST_DESCRIBE_ENUM(MemberState, in_sync, joining, removed)

struct Member {
    std::string node;
    MemberState state = MemberState::in_sync;
    std::uint64_t incarnation = 0;
    std::uint64_t left = 0;  // generation
    bool operator==(const Member&) const = default;
};
BOOST_DESCRIBE_STRUCT(Member, (), (node, state, incarnation, left))

struct Membership {
    int version = 1;
    std::string id;  // 32 hexadecimal digits
    std::uint64_t size = 0;
    std::uint32_t minimum = 1;
    std::uint64_t epoch = 0;
    std::uint64_t generation = 0;
    std::string engine;
    std::uint64_t instance = 0;
    std::uint64_t losses = 0;  // how often no copy in sync had all that was answered
    std::vector<Member> members;
    bool operator==(const Membership&) const = default;

    const Member* find(std::string_view node) const;
    std::vector<std::string> nodes(MemberState state) const;
};
BOOST_DESCRIBE_STRUCT(Membership, (),
                      (version, id, size, minimum, epoch, generation, engine, instance, losses,
                       members))

inline constexpr std::size_t most_members = 16;

std::string membership_key(std::string_view volume);
// Fails with corrupt or unsupported, naming the place.
Result<Membership> parse_membership(std::string_view text);
std::string encode_membership(const Membership& membership);
// Fails with corrupt where values contradict each other.
Result<void> check(const Membership& membership);
// As `id` is written. corrupt where it is none.
std::string text_of(const volume::Id& id);
Result<volume::Id> parse_id(std::string_view text);

// Each gives the record as it is to become. Any thread.
struct NewMembership {
    volume::Id id{};
    std::uint64_t size = 0;
    std::uint32_t minimum = 1;
    std::vector<std::string> nodes;
};
Result<Membership> create(const NewMembership& wanted);
Result<Membership> activate(Membership now, std::string_view node, std::uint64_t instance);
// What is alike now, with its incarnations; whoever is in sync and not among them is removed. From
// a loss: each of them is in another incarnation than the record's.
struct Alike {
    std::string node;
    std::uint64_t incarnation = 0;
};
enum class Began : std::uint8_t { whole, from_loss };
Result<Membership> settle(Membership now, const std::vector<Alike>& alike, Began began);
Result<Membership> remove(Membership now, std::string_view node);
Result<Membership> join(Membership now, std::string_view node, std::uint64_t incarnation);
Result<Membership> promote(Membership now, std::string_view node);
Result<Membership> leave(Membership now, std::string_view node);
Result<Membership> renew(Membership now, std::string_view node, std::uint64_t incarnation);
// On the word of a person, and of nobody else: this copy alone counts, whatever it lacks.
Result<Membership> salvage(Membership now, std::string_view node, std::uint64_t instance);

}  // namespace sheaf::replica
