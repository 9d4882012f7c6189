// Start, stop and their like, as virtctl asks for them.

#include "api/machine_verbs.h"

#include "world.h"

namespace sheaf::api {
namespace {

const std::string machines = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";
const std::string instances = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances";
const std::string verbs = "/apis/subresources.kubevirt.io/v1/namespaces/default/";

// A guest that says hello, then what is typed in capitals, and ends with a dot.
class Shouting final : public io::ByteStream {
  public:
    io::Task<std::size_t> receive(std::span<std::byte> buffer) override {
        while (said_.empty() && !ended_) {
            typed_.clear();
            co_await typed_.wait();
        }
        const auto count = std::min(buffer.size(), said_.size());
        std::ranges::copy(as_bytes(said_).first(count), buffer.begin());
        said_.erase(0, count);
        co_return count;
    }
    io::Task<void> send(std::span<const std::byte> bytes) override {
        for (const char letter : as_text(bytes)) {
            said_ += letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter;
            ended_ |= letter == '.';
        }
        typed_.set();
        co_return;
    }
    bool is_broken() const override { return false; }

  private:
    std::string said_ = "hello ";
    io::Event typed_;
    bool ended_ = false;
};

// Notes what it was asked for.
class NotedActions final : public MachineActions {
  public:
    io::Task<void> pause(MachineName machine) override { return note("pause", std::move(machine)); }
    io::Task<void> unpause(MachineName machine) override {
        return note("unpause", std::move(machine));
    }
    io::Task<void> soft_reboot(MachineName machine) override {
        return note("softreboot", std::move(machine));
    }
    io::Task<std::unique_ptr<io::ByteStream>> open_console(MachineName machine) override {
        co_await note("console", std::move(machine));
        co_return std::make_unique<Shouting>();
    }
    io::Task<std::string> read_log(MachineName machine, std::optional<std::size_t> lines) override {
        co_await note(lines ? fmt::format("log {}", *lines) : "log", std::move(machine));
        co_return "kept";
    }
    io::Task<std::unique_ptr<io::ByteStream>> follow_log(
        MachineName machine, std::optional<std::size_t> lines) override {
        co_await note(lines ? fmt::format("follow {}", *lines) : "follow", std::move(machine));
        auto guest = std::make_unique<Shouting>();
        co_await guest->send(as_bytes("and ends."));
        co_return guest;
    }
    const std::string& noted() const { return noted_; }
    void refuse(Error error) { refusal_ = std::move(error); }

  private:
    io::Task<void> note(std::string what, MachineName machine) {
        noted_ += what + " " + machine.name + " " + machine.uid + ";";
        if (refusal_) co_await Failure{Error{*refusal_}};
    }
    std::string noted_;
    std::optional<Error> refusal_;
};

class MachineVerbsAsked : public ApiWorld {
  protected:
    void SetUp() override {
        machines_ = &actions_;
        ApiWorld::SetUp();
    }
    void make(std::string_view strategy) {
        const auto made = ask("POST", machines,
                              fmt::format(R"({{"metadata":{{"name":"m"}},"spec":{{{},"template":)"
                                          R"({{"spec":{{"domain":{{"devices":{{}}}}}}}}}}}})",
                                          strategy));
        ASSERT_EQ(made.status, 201u) << made.text;
    }
    // Its instance, in this phase; gives its uid.
    std::string run(std::string_view phase) {
        const auto made =
            ask("POST", instances, R"({"metadata":{"name":"m"},"spec":{"domain":{"devices":{}}}})");
        EXPECT_EQ(made.status, 201u) << made.text;
        const auto set = patch(instances + "/m/status", "merge-patch+json",
                               fmt::format(R"({{"status":{{"phase":"{}"}}}})", phase));
        EXPECT_EQ(set.status, 200u) << set.text;
        return std::string{made.body.text_at({"metadata", "uid"})};
    }
    Said put(std::string_view target, std::string body = {}) {
        return ask("PUT", verbs + std::string{target}, std::move(body));
    }
    std::string strategy() {
        return std::string{ask("GET", machines + "/m").body.text_at({"spec", "runStrategy"})};
    }
    Json running() {
        const auto machine = ask("GET", machines + "/m").body;
        const auto* found = machine.at({"spec", "running"});
        return found ? *found : Json{};
    }
    // What is asked of who acts on the machine.
    std::string requests() {
        const auto machine = ask("GET", machines + "/m").body;
        const auto* list = machine.at({"status", "stateChangeRequests"});
        return list ? list->text() : "";
    }
    NotedActions actions_;
};

TEST_F(MachineVerbsAsked, StartAndStopChangeWhatIsWanted) {
    make(R"("runStrategy":"Halted")");
    EXPECT_EQ(put("virtualmachines/m/start", "{}").status, 202u);
    EXPECT_EQ(strategy(), "Always");
    EXPECT_EQ(put("virtualmachines/m/start").status, 409u);
    EXPECT_EQ(put("virtualmachines/m/stop").status, 202u);
    EXPECT_EQ(strategy(), "Halted");
    EXPECT_EQ(put("virtualmachines/m/stop").status, 409u);
    EXPECT_EQ(put("virtualmachines/m/restart").status, 409u);
    EXPECT_EQ(put("virtualmachines/none/start").status, 404u);
}

TEST_F(MachineVerbsAsked, TheOldFieldIsChangedWhereItIsUsed) {
    make(R"("running":false)");
    EXPECT_EQ(put("virtualmachines/m/start").status, 202u);
    EXPECT_EQ(running(), Json{true});
    EXPECT_EQ(strategy(), "");
    EXPECT_EQ(put("virtualmachines/m/stop").status, 202u);
    EXPECT_EQ(running(), Json{false});
}

TEST_F(MachineVerbsAsked, OtherStrategiesAskWhoActs) {
    make(R"("runStrategy":"Manual")");
    EXPECT_EQ(put("virtualmachines/m/stop").status, 409u);
    EXPECT_EQ(put("virtualmachines/m/start").status, 202u);
    EXPECT_EQ(requests(), R"([{"action":"Start"}])");
    EXPECT_EQ(put("virtualmachines/m/start").status, 409u);
    const auto uid = run("Running");
    EXPECT_EQ(put("virtualmachines/m/start").body.text_at({"message"}),
              "Operation cannot be fulfilled on virtualmachines.kubevirt.io \"m\": VM is already "
              "running");
    // A stop takes the place of what was asked for.
    EXPECT_EQ(put("virtualmachines/m/stop").status, 202u);
    EXPECT_EQ(requests(), fmt::format(R"([{{"action":"Stop","uid":"{}"}}])", uid));
    EXPECT_EQ(put("virtualmachines/m/restart").status, 409u);
}

TEST_F(MachineVerbsAsked, ARestartIsAStopAndAStart) {
    make(R"("runStrategy":"Always")");
    EXPECT_EQ(put("virtualmachines/m/restart").status, 409u);
    const auto uid = run("Running");
    EXPECT_EQ(put("virtualmachines/m/restart", R"({"dryRun":["All"]})").status, 202u);
    EXPECT_EQ(requests(), "");
    EXPECT_EQ(put("virtualmachines/m/restart").status, 202u);
    EXPECT_EQ(requests(),
              fmt::format(R"([{{"action":"Stop","uid":"{}"}},{{"action":"Start"}}])", uid));
}

TEST_F(MachineVerbsAsked, AShorterGraceIsTheInstances) {
    make(R"("runStrategy":"Always")");
    run("Running");
    EXPECT_EQ(put("virtualmachines/m/stop", R"({"gracePeriod":-1})").status, 400u);
    EXPECT_EQ(put("virtualmachines/m/stop", R"({"gracePeriod":0})").status, 202u);
    const auto instance = ask("GET", instances + "/m").body;
    EXPECT_EQ(instance.at({"spec", "terminationGracePeriodSeconds"})->integer(), 0);
    EXPECT_EQ(strategy(), "Halted");
}

TEST_F(MachineVerbsAsked, WhatIsDoneToARunningMachineGoesToWhoRunsIt) {
    EXPECT_EQ(put("virtualmachineinstances/m/pause").status, 404u);
    const auto uid = run("Running");
    for (const auto* verb : {"pause", "unpause", "softreboot"})
        EXPECT_EQ(put(fmt::format("virtualmachineinstances/m/{}", verb)).status, 202u) << verb;
    EXPECT_EQ(actions_.noted(), fmt::format("pause m {0};unpause m {0};softreboot m {0};", uid));
    actions_.refuse({sheaf::Kind::conflict, "VMI is already paused"});
    const auto refused = put("virtualmachineinstances/m/pause");
    EXPECT_EQ(refused.status, 409u);
    EXPECT_NE(refused.text.find("VMI is already paused"), std::string::npos);
}

TEST_F(MachineVerbsAsked, WhatDoesNotRunCannotBePaused) {
    run("Succeeded");
    EXPECT_EQ(put("virtualmachineinstances/m/pause").status, 409u);
    EXPECT_EQ(ask("GET", verbs + "virtualmachineinstances/m/console").status, 409u);
    EXPECT_EQ(actions_.noted(), "");
}

// With a mask of zeros.
std::string frame(char first, std::string_view payload) {
    std::string made{first};
    made += static_cast<char>(0x80 | payload.size());
    return made + std::string(4, '\0') + std::string{payload};
}

TEST_F(MachineVerbsAsked, AConsoleIsBytesBothWaysUntilTheMachineEnds) {
    run("Running");
    const auto asked = fmt::format(
        "GET {}virtualmachineinstances/m/console HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: plain.kubevirt.io\r\n\r\n",
        verbs);
    const auto heard = talk(asked + frame('\x82', "abc") + frame('\x82', "d."));
    EXPECT_TRUE(heard.starts_with("HTTP/1.1 101 ")) << heard;
    EXPECT_NE(heard.find("Sec-WebSocket-Protocol: plain.kubevirt.io\r\n"), heard.npos);
    std::string printed;
    auto frames = heard.substr(heard.find("\r\n\r\n") + 4);
    while (frames.size() > 2 && frames[0] == '\x82') {
        const auto length = static_cast<std::size_t>(frames[1]);
        printed += frames.substr(2, length);
        frames.erase(0, 2 + length);
    }
    EXPECT_EQ(printed, "hello ABCD.");
    EXPECT_EQ(frames, "\x88\x02\x03\xe8");
    // A viewer is not let in.
    peer_ = {{}, io::TlsSubject{"eve", {"system:readers"}}};
    EXPECT_TRUE(talk(asked).starts_with("HTTP/1.1 403 "));
}

TEST_F(MachineVerbsAsked, ALogIsReadAlsoOfWhatHasEnded) {
    const auto log = verbs + "virtualmachineinstances/m/log";
    EXPECT_EQ(ask("GET", log).status, 404u);
    const auto uid = run("Succeeded");
    const auto read = ask("GET", log + "?tailLines=3");
    EXPECT_EQ(read.text, "kept");
    // Nothing follows what has ended.
    EXPECT_EQ(ask("GET", log + "?follow=true").text, "kept");
    EXPECT_EQ(actions_.noted(), fmt::format("log 3 m {0};log m {0};", uid));
    EXPECT_EQ(ask("GET", log + "?tailLines=-1").status, 400u);
    EXPECT_EQ(ask("PUT", log).status, 405u);
    actions_.refuse({sheaf::Kind::not_found, "its keeper was lost"});
    const auto refused = ask("GET", log);
    EXPECT_EQ(refused.status, 409u);
    EXPECT_NE(refused.text.find("its keeper was lost"), std::string::npos);
}

TEST_F(MachineVerbsAsked, ALogIsFollowedToTheEndOfTheMachine) {
    const auto uid = run("Running");
    const auto log = verbs + "virtualmachineinstances/m/log?follow=true&tailLines=2";
    const auto followed = ask("GET", log);
    EXPECT_EQ(followed.text, "hello AND ENDS.");
    EXPECT_EQ(actions_.noted(), fmt::format("follow 2 m {};", uid));
    // A viewer only looks.
    peer_ = {{}, io::TlsSubject{"eve", {"system:readers"}}};
    EXPECT_EQ(ask("GET", log).text, "hello AND ENDS.");
}

TEST_F(MachineVerbsAsked, OnlyWhatIsOfferedIsThere) {
    make(R"("runStrategy":"Halted")");
    EXPECT_EQ(put("virtualmachines/m/pause").status, 404u);
    EXPECT_EQ(put("virtualmachineinstances/m/start").status, 404u);
    EXPECT_EQ(ask("GET", verbs + "virtualmachines/m/start").status, 405u);
    EXPECT_EQ(put("virtualmachines/m/start", "[").status, 400u);
    EXPECT_EQ(put("virtualmachines/m/start", R"({"paused":true})").status, 400u);
    const auto list = ask("GET", "/apis/subresources.kubevirt.io/v1");
    EXPECT_EQ(list.body.find("resources")->array()->size(), 8u);
    EXPECT_NE(list.text.find("virtualmachineinstances/console"), std::string::npos);
}

}  // namespace
}  // namespace sheaf::api
