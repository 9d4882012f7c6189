#include "vmm/debug/commands.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hex.h"

namespace sheaf::vmm::debug {
namespace {

using Then = Outcome::Then;

// Three processors without paging.
class CommandsTest : public testing::Test {
  protected:
    std::string ask(std::string_view packet) {
        const auto outcome = commands.handle(packet);
        EXPECT_EQ(outcome.then, Then::answer) << packet;
        return outcome.answer;
    }
    std::vector<Go> go(std::string_view packet) {
        const auto outcome = commands.handle(packet);
        EXPECT_EQ(outcome.then, Then::resume) << packet << ": " << outcome.answer;
        return outcome.go;
    }

    GuestMemory memory = *GuestMemory::create(64_KiB, GuestMemory::Backing::anonymous);
    Debuggee debuggee{memory, 3};
    Commands commands{debuggee};
};

TEST_F(CommandsTest, SaysWhatItCan) {
    const auto features = ask("qSupported:multiprocess+;swbreak+;hwbreak+;qRelocInsn+");
    for (const auto* one : {"PacketSize=4000", "QStartNoAckMode+", "qXfer:features:read+",
                            "swbreak+", "hwbreak+", "vContSupported+"})
        EXPECT_TRUE(features.contains(one)) << features;
    EXPECT_EQ(ask("vCont?"), "vCont;c;C;s;S;t");
    EXPECT_EQ(ask("qAttached"), "1");
    EXPECT_EQ(ask("?"), "T05thread:1;");
    EXPECT_EQ(commands.handle("QStartNoAckMode").then, Then::plain_answers);
}

TEST_F(CommandsTest, WhatIsUnknownIsAnsweredWithNothing) {
    for (const auto* packet : {"vMustReplyEmpty", "qSymbol::", "!", "", "qXfer:auxv:read::0,10",
                               "Z3,1000,4", "Z5,1000,1", "\x01", "bs"})
        EXPECT_EQ(ask(packet), "") << packet;
}

TEST_F(CommandsTest, DisorderIsAnError) {
    for (const auto* packet : {"m",
                               "m1000",
                               "m1000,",
                               "m,4",
                               "mxyz,1",
                               "m11111111111111111,1",
                               "M1000,2:00",
                               "M1000,1:0g",
                               "M1000,1",
                               "X1000,3:a",
                               "p",
                               "p1000",
                               "P0",
                               "P0=",
                               "P0=00",
                               "P1000=00",
                               "G00",
                               "Z0",
                               "Z0,1000",
                               "Z1,1000,9",
                               "Z2,1001,2",
                               "vCont",
                               "vCont;",
                               "vCont;x",
                               "vCont;t",
                               "vCont;c:4",
                               "vCont;c:1x",
                               "vCont;C:1",
                               "vCont;c:-2",
                               "H",
                               "Hg9",
                               "Hg",
                               "Hc-2",
                               "T9",
                               "T0",
                               "T-1",
                               "cxyz",
                               "C05;xyz",
                               "qXfer:features:read:other.xml:0,10",
                               "qXfer:features:read:target.xml:0"}) {
        const auto outcome = commands.handle(packet);
        EXPECT_EQ(outcome.then, Then::answer) << packet;
        EXPECT_TRUE(outcome.answer.empty() || outcome.answer.starts_with('E'))
            << packet << ": " << outcome.answer;
    }
    EXPECT_TRUE(debuggee.breakpoints.empty());
}

TEST_F(CommandsTest, TheDescriptionComesInPieces) {
    auto text = std::string{};
    while (true) {
        const auto part =
            ask(fmt::format("qXfer:features:read:target.xml:{:x},{:x}", text.size(), 1000));
        text += part.substr(1);
        ASSERT_FALSE(part.empty());
        if (part.starts_with('l')) break;
        ASSERT_EQ(part.size(), 1001u);
    }
    EXPECT_EQ(text, target_description());
    EXPECT_EQ(ask("qXfer:features:read:target.xml:ffffff,10"), "l");
}

TEST_F(CommandsTest, RegistersOfTheChosenProcessor) {
    debuggee.registers[1].general.rip = 0x1234;
    EXPECT_EQ(ask("p10"), "0000000000000000");
    EXPECT_EQ(ask("Hg2"), "OK");
    EXPECT_EQ(ask("p10"), "3412000000000000");
    EXPECT_EQ(ask("qC"), "QC2");
    EXPECT_EQ(ask("P10=0010000000000000"), "OK");
    EXPECT_EQ(debuggee.registers[1].general.rip, 0x1000u);
    const auto all = ask("g");
    EXPECT_EQ(ask("G" + all), "OK");
    EXPECT_EQ(all.substr(32 * 8, 16), "0010000000000000");
    EXPECT_EQ(debuggee.registers[0].general.rip, 0u);
}

TEST_F(CommandsTest, Memory) {
    EXPECT_EQ(ask("M1000,3:0a0b0c"), "OK");
    EXPECT_EQ(ask("m1000,4"), "0a0b0c00");
    EXPECT_EQ(ask(std::string_view{"X1001,2:\x00}", 10}), "OK");
    EXPECT_EQ(ask("m1000,4"), "0a007d00");
    EXPECT_EQ(ask("X1000,0:"), "OK") << "how a debugger asks whether X is known";
    EXPECT_EQ(ask("mffff,4"), "00") << "what there is of it";
    EXPECT_EQ(ask("m10000,4"), "E0e");
    EXPECT_EQ(ask("M10000,1:00"), "E0e");
    EXPECT_EQ(ask("m1000,0"), "");
    EXPECT_EQ(ask("m0,ffffffffffffffff").size(), 16_KiB) << "as much as a packet holds";
}

TEST_F(CommandsTest, Breakpoints) {
    EXPECT_EQ(ask("Z0,1000,1"), "OK");
    EXPECT_EQ(*memory.read<std::uint8_t>(Gpa{0x1000}), 0xcc);
    EXPECT_EQ(ask("m1000,1"), "00");
    EXPECT_EQ(ask("z0,1000,1"), "OK");
    EXPECT_EQ(*memory.read<std::uint8_t>(Gpa{0x1000}), 0);
    EXPECT_EQ(ask("Z0,10000,1"), "E0e");
    for (const auto* packet : {"Z1,1000,1", "Z2,2000,8", "Z4,3000,4", "Z2,4000,1"})
        EXPECT_EQ(ask(packet), "OK") << packet;
    EXPECT_EQ(ask("Z1,5000,1"), "E1c") << "there are four";
    EXPECT_EQ(ask("z1,1000,1"), "OK");
    EXPECT_EQ(ask("Z1,5000,1"), "OK");
}

TEST_F(CommandsTest, Stops) {
    EXPECT_EQ(commands.stopped(2, {Cause::Kind::software, 0}), "T05thread:3;") << "unasked";
    ask("qSupported:swbreak+");
    EXPECT_EQ(commands.stopped(2, {Cause::Kind::software, 0}), "T05thread:3;swbreak:;");
    EXPECT_EQ(ask("?"), "T05thread:3;swbreak:;");
    EXPECT_EQ(ask("qC"), "QC3") << "questions are about the one that stopped";
    EXPECT_EQ(commands.stopped(0, {Cause::Kind::hardware, 0}), "T05thread:1;hwbreak:;");
    EXPECT_EQ(commands.stopped(0, {Cause::Kind::write, 0xabc}), "T05thread:1;watch:abc;");
    EXPECT_EQ(commands.stopped(0, {Cause::Kind::access, 0xabc}), "T05thread:1;awatch:abc;");
    EXPECT_EQ(commands.stopped(1, {Cause::Kind::step, 0}), "T05thread:2;");
    EXPECT_EQ(commands.stopped(1, {Cause::Kind::interrupt, 0}), "T02thread:2;");
}

TEST_F(CommandsTest, Threads) {
    EXPECT_EQ(ask("qfThreadInfo"), "m1,2,3");
    EXPECT_EQ(ask("qsThreadInfo"), "l");
    EXPECT_EQ(ask("T3"), "OK");
    EXPECT_EQ(ask("T4"), "E03");
    EXPECT_EQ(ask("qThreadExtraInfo,2"), to_hex(as_bytes("vCPU 1")));
}

TEST_F(CommandsTest, WhoGoesOn) {
    const auto all = std::vector{Go::run, Go::run, Go::run};
    EXPECT_EQ(go("vCont;c"), all);
    EXPECT_EQ(go("vCont;c:-1"), all);
    EXPECT_EQ(go("vCont;s:2;c"), (std::vector{Go::run, Go::step, Go::run}));
    EXPECT_EQ(go("vCont;s:2"), (std::vector{Go::stay, Go::step, Go::stay}));
    EXPECT_EQ(go("vCont;t:1;C05:2;S05"), (std::vector{Go::stay, Go::run, Go::step}));
    EXPECT_EQ(go("c"), all);
    commands.stopped(1, {Cause::Kind::step, 0});
    EXPECT_EQ(go("s"), (std::vector{Go::run, Go::step, Go::run}));
    EXPECT_EQ(go("S05"), (std::vector{Go::run, Go::step, Go::run}));
    EXPECT_EQ(ask("Hc3"), "OK");
    EXPECT_EQ(go("s"), (std::vector{Go::stay, Go::stay, Go::step}));
    EXPECT_EQ(ask("Hc-1"), "OK");
    EXPECT_EQ(go("c2000"), all);
    EXPECT_EQ(debuggee.registers[1].general.rip, 0x2000u);
}

TEST_F(CommandsTest, Ends) {
    EXPECT_EQ(commands.handle("D").then, Then::detach);
    EXPECT_EQ(commands.handle("D").answer, "OK");
    EXPECT_EQ(commands.handle("k").then, Then::kill);
    EXPECT_EQ(commands.handle("k").answer, "");
    EXPECT_EQ(commands.handle("vKill;1").answer, "OK");
}

}  // namespace
}  // namespace sheaf::vmm::debug
