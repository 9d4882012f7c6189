#include "node/supervisor.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/boot_id.h"
#include "base/bytes.h"
#include "base/child.h"
#include "io/make_loop.h"
#include "node/keeper_server.h"
#include "node/unix_socket.h"
#include "support/turns.h"

namespace sheaf::node {
namespace {

// A keeper that a daemon before this one started: its directory, a process, and what it serves.
class StandIn final : public KeptMachine {
  public:
    StandIn(io::Loop& loop, const pool::Directory& machines, const std::string& uid)
        : loop_(loop), console_(loop), folder_(machines.make_below(uid).value()) {
        file.uid = uid;
        file.name = "default/" + uid;
        file.cookie = "0123";
        file.boot = boot_id().value();
        now.keeper = process_.pid();
    }
    ~StandIn() { EXPECT_TRUE(die()); }

    void serve(const std::string& cookie) {
        EXPECT_TRUE(machine_folder::write(folder_, file));
        auto listener = listen_at("socket", machine_folder::socket_path(folder_), 64).value();
        server_.emplace(loop_, std::move(listener), *this, console_,
                        KeeperIdentity{file.uid, cookie, file.boot});
    }
    void write_file() { EXPECT_TRUE(machine_folder::write(folder_, file)); }
    void print(std::string_view text) {
        EXPECT_TRUE(io::run(loop_, console_.show(as_bytes(text))));
    }
    void keep_console() {
        EXPECT_TRUE(machine_folder::write_console(folder_, console_.tail({99})));
    }
    void report(const std::string& how) {
        auto ending = ExitReport{};
        ending.how = how;
        EXPECT_TRUE(machine_folder::write_ending(folder_, ending));
    }
    // Its socket closes; its process ends a moment later.
    bool close() {
        if (server_) EXPECT_TRUE(io::run(loop_, server_->end()));
        server_.reset();
        return true;
    }
    bool die() {
        process_.kill();
        return close();
    }

    KeeperStatus status() const override { return now; }
    void on_change(std::function<void()> changed) override { changed_ = std::move(changed); }
    void press_power_button(std::chrono::seconds) override {
        now.stopping = true;
        changed_();
    }
    void force_off() override { forced = true; }
    void pause() override {}
    void resume() override {}
    bool wants_pause() const override { return false; }
    void refresh_disks() override {}

    MachineFile file;
    KeeperStatus now{.state = MachineState::running};
    bool forced = false;

  private:
    io::Loop& loop_;
    ConsoleHub console_;
    pool::Directory folder_;
    Child process_ = Child::start("sleep", {"sleep", "1000"}, {}).value();
    std::function<void()> changed_;
    std::optional<KeeperServer> server_;
};

io::Task<void> read_log(Supervisor& supervisor, Result<std::string>& text) {
    text = co_await supervisor.console_tail("a", {100}).result();
}

io::Task<void> remove_and_read(Supervisor& supervisor, Result<std::string>& text) {
    io::TaskGroup group;
    group.start(supervisor.remove("a"));
    group.start(read_log(supervisor, text));
    co_await group.join();
}

class SupervisorTest : public testing::Test {
  protected:
    SupervisorTest() {
        auto name = std::string{"/tmp/supervisor_test.XXXXXX"};
        folder = ::mkdtemp(name.data());
        machines.emplace(pool::Directory::open(folder).value());
        begin();
    }
    ~SupervisorTest() override {
        EXPECT_TRUE(io::run(*loop, supervisor->stop()));
        std::filesystem::remove_all(folder);
    }
    // As a daemon that starts.
    void begin() {
        if (supervisor) EXPECT_TRUE(io::run(*loop, supervisor->stop()));
        supervisor = Supervisor::create(*loop, folder, logger).value();
    }
    const SupervisedMachine* adopt(const std::string& uid) {
        EXPECT_TRUE(io::run(*loop, supervisor->adopt()));
        return supervisor->find(uid);
    }
    bool ends(const std::string& uid) {
        return test::run_until(*loop, [&] { return supervisor->find(uid)->report.has_value(); });
    }

    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    Logger logger{2, LogLevel::error};
    std::filesystem::path folder;
    std::optional<pool::Directory> machines;
    std::unique_ptr<Supervisor> supervisor;
};

TEST_F(SupervisorTest, AKeeperThatAnswersIsAdoptedAndHeard) {
    StandIn keeper{*loop, *machines, "a"};
    keeper.serve(keeper.file.cookie);
    const auto* machine = adopt("a");
    ASSERT_TRUE(machine && machine->status);
    EXPECT_EQ(machine->name, "default/a");
    EXPECT_EQ(machine->status->state, MachineState::running);
    EXPECT_TRUE(io::run(*loop, supervisor->press_power_button("a", std::chrono::seconds{5})));
    EXPECT_TRUE(test::run_until(*loop, [&] { return machine->status->stopping; }));
    EXPECT_TRUE(io::run(*loop, supervisor->force_off("a")));
    EXPECT_TRUE(keeper.forced);
    EXPECT_EQ(io::run(*loop, supervisor->remove("a")).error().kind(), Kind::conflict);
}

TEST_F(SupervisorTest, ADaemonAfterADaemonAdoptsTheSame) {
    StandIn keeper{*loop, *machines, "a"};
    keeper.serve(keeper.file.cookie);
    for (int i = 0; i < 3; ++i) {
        const auto* machine = adopt("a");
        ASSERT_TRUE(machine && machine->status) << i;
        begin();
    }
}

TEST_F(SupervisorTest, WhatWasPrintedIsThereBeforeTheEndAndAfterIt) {
    StandIn keeper{*loop, *machines, "a"};
    keeper.serve(keeper.file.cookie);
    keeper.print("one\ntwo\nthree\n");
    ASSERT_TRUE(adopt("a"));
    const auto last = [&](ConsoleHistory history) {
        return io::run(*loop, supervisor->console_tail("a", history));
    };
    EXPECT_EQ(last({100, 2}).value(), "two\nthree\n");
    keeper.keep_console();
    keeper.report("powered_off");
    keeper.die();
    ASSERT_TRUE(ends("a"));
    EXPECT_EQ(last({100, {}}).value(), "one\ntwo\nthree\n");
    EXPECT_EQ(last({100, 1}).value(), "three\n");
    const auto followed = io::run(*loop, supervisor->attach_console("a", {100}));
    ASSERT_FALSE(followed);
    EXPECT_EQ(followed.error().kind(), Kind::conflict);
}

TEST_F(SupervisorTest, WhatALostKeeperKeptIsLost) {
    StandIn keeper{*loop, *machines, "a"};
    keeper.serve(keeper.file.cookie);
    keeper.print("one\n");
    ASSERT_TRUE(adopt("a"));
    keeper.die();
    ASSERT_TRUE(ends("a"));
    const auto tail = io::run(*loop, supervisor->console_tail("a", {100}));
    ASSERT_FALSE(tail);
    EXPECT_EQ(tail.error().kind(), Kind::not_found);
    EXPECT_TRUE(tail.error().text().contains("its keeper was lost")) << tail.error().text();
}

// Whichever is first, nothing is read of what is gone.
TEST_F(SupervisorTest, OneMayBeRemovedWhileItsLogIsRead) {
    StandIn keeper{*loop, *machines, "a"};
    keeper.serve(keeper.file.cookie);
    keeper.print("one\n");
    ASSERT_TRUE(adopt("a"));
    keeper.keep_console();
    keeper.report("powered_off");
    keeper.die();
    ASSERT_TRUE(ends("a"));
    auto text = Result<std::string>{fail(Kind::invalid, "not asked")};
    EXPECT_TRUE(io::run(*loop, remove_and_read(*supervisor, text)));
    EXPECT_FALSE(supervisor->find("a"));
    if (text) EXPECT_EQ(*text, "one\n");
    if (!text) EXPECT_EQ(text.error().kind(), Kind::not_found) << text.error().text();
}

// What it used is free only when its process is gone.
TEST_F(SupervisorTest, TheEndOfAMachineIsTheEndOfItsProcess) {
    StandIn keeper{*loop, *machines, "a"};
    keeper.serve(keeper.file.cookie);
    const auto* machine = adopt("a");
    ASSERT_TRUE(machine && machine->status);
    keeper.report("panicked");
    keeper.close();
    for (int i = 0; i < 20; ++i) test::let_sleep(*loop);
    EXPECT_FALSE(machine->report);
    keeper.die();
    ASSERT_TRUE(ends("a"));
    EXPECT_EQ(machine->report->how, "panicked");
}

TEST_F(SupervisorTest, OneThatEndedMeanwhileSaysHow) {
    StandIn keeper{*loop, *machines, "a"};
    keeper.write_file();
    keeper.report("powered_off");
    const auto* machine = adopt("a");
    ASSERT_TRUE(machine && machine->report);
    EXPECT_EQ(machine->report->how, "powered_off");
    EXPECT_TRUE(io::run(*loop, supervisor->remove("a")));
    EXPECT_FALSE(supervisor->find("a"));
    EXPECT_TRUE(machines->names()->empty());
    EXPECT_TRUE(io::run(*loop, supervisor->remove("a"))) << "what is gone is removed already";
}

TEST_F(SupervisorTest, OneWithoutAReportEndedWithItsHostOrWithItsKeeper) {
    StandIn lost{*loop, *machines, "lost"};
    lost.write_file();
    StandIn rebooted{*loop, *machines, "rebooted"};
    rebooted.file.boot = "another";
    rebooted.write_file();
    ASSERT_TRUE(adopt("lost") && supervisor->find("rebooted"));
    EXPECT_EQ(supervisor->find("lost")->report.value().how, "keeper_lost");
    EXPECT_EQ(supervisor->find("rebooted")->report.value().how, "host_restarted");
}

TEST_F(SupervisorTest, AReportOfALaterVersionIsRead) {
    StandIn keeper{*loop, *machines, "a"};
    keeper.write_file();
    std::ofstream{folder / "a/exit.json"} << R"({"how":"powered_off","colour":"red"})";
    const auto* machine = adopt("a");
    ASSERT_TRUE(machine && machine->report);
    EXPECT_EQ(machine->report->how, "powered_off");
}

TEST_F(SupervisorTest, WhoDoesNotKnowTheCookieIsNotBelieved) {
    StandIn keeper{*loop, *machines, "a"};
    keeper.serve("another");
    const auto* machine = adopt("a");
    ASSERT_TRUE(machine);
    EXPECT_FALSE(machine->status);
    EXPECT_TRUE(machine->trouble.contains("another keeper")) << machine->trouble;
    EXPECT_EQ(io::run(*loop, supervisor->force_off("a")).error().kind(), Kind::denied);
    EXPECT_FALSE(keeper.forced);
}

TEST_F(SupervisorTest, WhatWasNotFinishedIsRemoved) {
    std::filesystem::create_directories(folder / "half/disks");
    std::ofstream{folder / "half/disks/d"} << "x";
    EXPECT_FALSE(adopt("half"));
    EXPECT_FALSE(std::filesystem::exists(folder / "half"));
}

TEST_F(SupervisorTest, WhatCannotBeReadStaysAsItIs) {
    std::filesystem::create_directories(folder / "a");
    std::ofstream{folder / "a/machine.json"} << "{";
    EXPECT_FALSE(adopt("a"));
    EXPECT_TRUE(std::filesystem::exists(folder / "a/machine.json"));
}

TEST_F(SupervisorTest, NothingIsAskedOfWhatIsNotThere) {
    EXPECT_EQ(io::run(*loop, supervisor->force_off("none")).error().kind(), Kind::not_found);
    StandIn keeper{*loop, *machines, "a"};
    keeper.write_file();
    keeper.report("powered_off");
    ASSERT_TRUE(adopt("a"));
    EXPECT_EQ(io::run(*loop, supervisor->force_off("a")).error().kind(), Kind::conflict);
}

}  // namespace
}  // namespace sheaf::node
