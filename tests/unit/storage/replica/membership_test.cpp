#include "storage/replica/membership.h"

#include <gtest/gtest.h>

namespace sheaf::replica {
namespace {

Membership fresh(std::uint32_t minimum = 2) {
    NewMembership wanted;
    wanted.id = {1};
    wanted.size = 1 << 20;
    wanted.minimum = minimum;
    wanted.nodes = {"a", "b", "c"};
    return create(wanted).value();
}

Membership running(std::uint32_t minimum = 2) {
    const auto active = activate(fresh(minimum), "a", 77).value();
    return settle(active, {{"a", 1}, {"b", 2}, {"c", 3}}, Began::whole).value();
}

MemberState state_of(const Membership& membership, std::string_view node) {
    return membership.find(node)->state;
}

TEST(Membership, SurvivesItsRecord) {
    for (const auto& membership : {fresh(), running(), remove(running(), "c").value()})
        EXPECT_EQ(parse_membership(encode_membership(membership)).value(), membership);
}

TEST(Membership, EachChangeMakesTheGenerationLarger) {
    const auto before = running();
    const auto removed = remove(before, "c").value();
    EXPECT_EQ(removed.generation, before.generation + 1);
    const auto joined = join(removed, "c", 9).value();
    EXPECT_EQ(joined.generation, before.generation + 2);
    EXPECT_EQ(promote(joined, "c").value().generation, before.generation + 3);
    EXPECT_EQ(activate(before, "b", 1).value().generation, before.generation + 1);
}

TEST(Membership, AnActivationIsANewEpochOfAnotherEngine) {
    const auto before = running();
    const auto after = activate(before, "b", 5).value();
    EXPECT_EQ(after.epoch, before.epoch + 1);
    EXPECT_EQ(after.engine, "b");
    EXPECT_EQ(after.instance, 5u);
    EXPECT_EQ(after.nodes(MemberState::in_sync).size(), 3u);
}

TEST(Membership, WhoWasJoiningIsRemovedByAnActivation) {
    const auto joining = join(remove(running(), "c").value(), "c", 9).value();
    const auto after = activate(joining, "b", 5).value();
    EXPECT_EQ(state_of(after, "c"), MemberState::removed);
}

TEST(Membership, ASalvageLeavesOneCopyThatIsEnoughAndNobodyElse) {
    const auto before = join(remove(running(), "c").value(), "c", 9).value();
    const auto after = salvage(before, "c", 5).value();
    EXPECT_EQ(after.nodes(MemberState::in_sync), std::vector<std::string>{"c"});
    EXPECT_EQ(after.nodes(MemberState::removed), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(after.find("a")->left, before.generation);
    EXPECT_EQ(after.find("c")->incarnation, 0u);
    EXPECT_EQ(after.epoch, before.epoch + 1);
    EXPECT_EQ(after.minimum, 1u);
    EXPECT_TRUE(check(after));
    EXPECT_TRUE(check(salvage(fresh(), "b", 5).value()));
    EXPECT_EQ(salvage(before, "x", 5).error().kind(), Kind::invalid);
}

TEST(Membership, FewerThanTheMinimumAreNeverLeft) {
    const auto two = remove(running(), "c").value();
    EXPECT_EQ(remove(two, "b").error().kind(), Kind::exhausted);
    const auto active = activate(running(), "b", 5).value();
    EXPECT_EQ(settle(active, {{"b", 2}}, Began::whole).error().kind(), Kind::exhausted);
    EXPECT_TRUE(remove(remove(running(1), "c").value(), "b"));
    EXPECT_EQ(remove(remove(remove(running(1), "c").value(), "b").value(), "a").error().kind(),
              Kind::exhausted);
}

TEST(Membership, SettlingRemovesWhoCouldNotBeSealed) {
    const auto active = activate(running(), "b", 5).value();
    const auto settled = settle(active, {{"a", 1}, {"b", 8}}, Began::whole).value();
    EXPECT_EQ(state_of(settled, "c"), MemberState::removed);
    EXPECT_EQ(settled.find("b")->incarnation, 8u);
    EXPECT_EQ(settled.find("c")->left, active.generation);
}

TEST(Membership, ABeginningFromALossIsCountedForWhoeverComesLater) {
    const auto active = activate(running(), "b", 5).value();
    const auto settled = settle(active, {{"a", 7}, {"b", 8}, {"c", 9}}, Began::from_loss).value();
    EXPECT_EQ(settled.losses, active.losses + 1);
    const auto next = activate(settled, "a", 6).value();
    EXPECT_EQ(settle(next, {{"a", 7}, {"b", 8}}, Began::whole).value().losses, settled.losses);
    EXPECT_EQ(parse_membership(encode_membership(next)).value().losses, settled.losses);
}

TEST(Membership, OnlyOneThatJoinsIsPromoted) {
    const auto two = remove(running(), "c").value();
    EXPECT_EQ(promote(two, "c").error().kind(), Kind::invalid);
    EXPECT_EQ(promote(two, "a").error().kind(), Kind::invalid);
    EXPECT_EQ(join(two, "a", 4).error().kind(), Kind::invalid);
    EXPECT_EQ(join(two, "d", 4).error().kind(), Kind::not_found);
    EXPECT_EQ(join(two, "c", 0).error().kind(), Kind::invalid);
    const auto back = promote(join(two, "c", 9).value(), "c").value();
    EXPECT_EQ(state_of(back, "c"), MemberState::in_sync);
    EXPECT_EQ(back.find("c")->left, 0u);
}

TEST(Membership, WhoLeavesWhileJoiningLeftWhenItDid) {
    const auto two = remove(running(), "c").value();
    const auto again = leave(join(two, "c", 9).value(), "c").value();
    EXPECT_EQ(again.find("c")->left, two.find("c")->left);
    EXPECT_EQ(leave(again, "c").error().kind(), Kind::invalid);
}

TEST(Membership, ARenewalIsOfOneInSync) {
    EXPECT_EQ(renew(running(), "b", 12).value().find("b")->incarnation, 12u);
    EXPECT_EQ(renew(remove(running(), "c").value(), "c", 12).error().kind(), Kind::invalid);
}

// One change of a sound record's text, which makes it one of another kind.
Result<Membership> with(std::string_view from, std::string_view to) {
    auto text = encode_membership(running());
    const auto place = text.find(from);
    EXPECT_NE(place, std::string::npos) << text;
    if (place != std::string::npos) text.replace(place, from.size(), to);
    return parse_membership(text);
}

TEST(Membership, ARecordThatContradictsItselfIsRefusedNamingThePlace) {
    const struct {
        const char* from;
        const char* to;
        const char* place;
    } cases[] = {
        {R"("minimum":2)", R"("minimum":4)", "/minimum"},
        {R"("minimum":2)", R"("minimum":0)", "/minimum"},
        {R"("size":1048576)", R"("size":1000)", "/size"},
        {R"("node":"b")", R"("node":"a")", "/members"},
        {R"("node":"b")", R"("node":"B")", "/members"},
        {R"("engine":"a")", R"("engine":"")", "/engine"},
        {R"("state":"in_sync")", R"("state":"lost")", "/members/0/state"},
        {R"("id":"01)", R"("id":"0x)", "/id"},
        {R"("epoch":1)", R"("epoch":99)", "/epoch"},
        {R"("left":0)", R"("left":99)", "/members"},
        {R"("size":)", R"("sice":)", "/sice"},
    };
    for (const auto& one : cases) {
        const auto membership = with(one.from, one.to);
        ASSERT_FALSE(membership) << one.to;
        EXPECT_EQ(membership.error().kind(), Kind::corrupt) << one.to;
        EXPECT_TRUE(membership.error().text().contains(one.place)) << membership.error().text();
    }
    EXPECT_EQ(with(R"("version":1)", R"("version":2)").error().kind(), Kind::unsupported);
}

TEST(Membership, IdsAreWrittenAsTheyAreRead) {
    const volume::Id id{0, 1, 0xfe};
    EXPECT_EQ(parse_id(text_of(id)).value(), id);
    EXPECT_FALSE(parse_id(text_of({})));
    EXPECT_FALSE(parse_id("12"));
}

}  // namespace
}  // namespace sheaf::replica
