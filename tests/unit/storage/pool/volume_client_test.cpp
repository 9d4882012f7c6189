#include "storage/pool/volume_client.h"

#include "base/json.h"
#include "scratch_pool.h"
#include "storage/aligned_buffer.h"
#include "storage/pool/control_socket.h"

namespace sheaf::pool {
namespace {

class NoSink final : public ProgressSink {
  public:
    void progressed(const ControlProgress&) override {}
};

class VolumeClients : public ScratchPool {
  protected:
    VolumeClients() { EXPECT_TRUE(create("v")); }

    static ControlRequest request(ControlVerb what, const char* name = nullptr) {
        ControlRequest wanted;
        wanted.request = what;
        if (name) wanted.name = name;
        return wanted;
    }
    static ControlRequest resize(std::uint64_t size) {
        auto wanted = request(ControlVerb::resize);
        wanted.size = size;
        return wanted;
    }
    io::Task<VolumeStatus> run(ControlRequest wanted) {
        return run_errand(*loop, *pool, {"v", "test", std::move(wanted)}, sink);
    }
    Result<VolumeStatus> ask(ControlRequest wanted) {
        return io::run(*loop, run(std::move(wanted)));
    }
    // While another has it open: both ends run on one loop.
    io::Task<VolumeStatus> open_and_run(std::vector<ControlRequest> all) {
        auto held = co_await hold("v");
        auto opened = co_await OpenVolume::open(*loop, *pool, std::move(held), user);
        co_await opened->serve();
        auto last = Result<VolumeStatus>{};
        for (auto& wanted : all)
            if (last) last = co_await run(std::move(wanted)).result();
        co_await opened->shut_down();
        co_return co_await std::move(last);
    }
    Result<VolumeStatus> ask_while_open(std::vector<ControlRequest> all) {
        return io::run(*loop, open_and_run(std::move(all)));
    }

    NoSink sink;
    NoUser user;
};

TEST_F(VolumeClients, WithTheLockTheyDoItThemselves) {
    EXPECT_EQ(ask(request(ControlVerb::status))->size, 16u << 20);
    ASSERT_TRUE(ask(request(ControlVerb::snapshot_create, "one")));
    const auto status = ask(request(ControlVerb::snapshot_create, "two"));
    ASSERT_TRUE(status) << status.error().text();
    ASSERT_EQ(status->snapshots.size(), 2u);
    EXPECT_EQ(status->snapshots[0].name, "one");
    EXPECT_EQ(hold("v")->layers()->size(), 3u);
    EXPECT_EQ(ask(resize(32 << 20))->size, 32u << 20);
    EXPECT_EQ(ask(request(ControlVerb::snapshot_delete, "one"))->snapshots.size(), 1u);
    EXPECT_EQ(ask(request(ControlVerb::snapshot_delete, "two"))->snapshots.size(), 0u);
    EXPECT_EQ(hold("v")->layers()->size(), 1u);
    EXPECT_EQ(pool->layers().names()->size(), 1u);
}

TEST_F(VolumeClients, WithoutItTheyAskWhoHasIt) {
    const auto status = ask_while_open({request(ControlVerb::snapshot_create, "one"),
                                        resize(32 << 20), request(ControlVerb::status)});
    ASSERT_TRUE(status) << status.error().text();
    EXPECT_EQ(status->size, 32u << 20);
    ASSERT_EQ(status->snapshots.size(), 1u);
    EXPECT_EQ(status->snapshots[0].size, 16u << 20);
    EXPECT_FALSE(pool->find(Shelf::volumes, "v")->has("control").value());
}

TEST_F(VolumeClients, MistakesComeBackAsTheyWere) {
    for (const auto open : {false, true}) {
        const auto with = [&](ControlRequest wanted) {
            return open ? ask_while_open({std::move(wanted)}) : ask(std::move(wanted));
        };
        EXPECT_EQ(with(request(ControlVerb::snapshot_delete, "none")).error().kind(),
                  Kind::not_found);
        EXPECT_EQ(with(request(ControlVerb::snapshot_create, "a/b")).error().kind(), Kind::invalid);
        EXPECT_EQ(with(request(ControlVerb::snapshot_create)).error().kind(), Kind::invalid);
        EXPECT_EQ(with(resize(8 << 20)).error().kind(), Kind::invalid);
    }
}

TEST_F(VolumeClients, AHolderThatServesNobodyIsNamed) {
    const auto held = hold("v").value();
    ASSERT_TRUE(held.lock().begin_serving());
    const auto answer = ask(request(ControlVerb::status));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind(), Kind::conflict);
    EXPECT_NE(answer.error().text().find("which takes no requests"), std::string::npos);
}

TEST_F(VolumeClients, ASocketOfADeadEngineIsNoHindrance) {
    listen_for_control(pool->find(Shelf::volumes, "v").value()).value().reset();
    EXPECT_TRUE(ask(request(ControlVerb::status)));
}

class ControlServers : public VolumeClients {
  protected:
    // Says a line to an open volume and gives all that it answers.
    io::Task<void> say(std::string line, std::vector<std::string>& heard) {
        auto held = co_await hold("v");
        auto opened = co_await OpenVolume::open(*loop, *pool, std::move(held), user);
        co_await opened->serve();
        {
            auto socket = co_await connect_to_control(opened->holding().directory());
            LineChannel channel{*loop, std::move(socket), control_reply_limit};
            co_await channel.send(std::move(line));
            while (heard.size() < 2) {
                auto answer = co_await channel.receive();
                if (!answer) break;
                heard.push_back(*std::move(answer));
            }
            const auto end = co_await channel.receive().result();
            if (end && !*end) heard.emplace_back("closed");
        }
        co_await opened->shut_down();
    }
    std::vector<std::string> answers_to(std::string line) {
        std::vector<std::string> heard;
        const auto outcome = io::run(*loop, say(std::move(line), heard));
        EXPECT_TRUE(outcome) << outcome.error().text();
        return heard;
    }
};

TEST_F(ControlServers, NonsenseIsAnsweredAndEndsTheConversation) {
    for (const auto& line : {std::string{"hello"}, std::string{"{}}"},
                             std::string{R"({"version":2,"request":"status"})"},
                             std::string{R"({"version":1,"request":"destroy"})"},
                             std::string(control_request_limit + 1, 'x')}) {
        const auto heard = answers_to(line);
        ASSERT_EQ(heard.size(), 3u) << line.substr(0, 80);
        EXPECT_EQ(heard[0], R"({"hello":"sheaf-volume","version":1,"volume":"v"})");
        const auto reply = decode<ControlReply>(heard[1]);
        ASSERT_TRUE(reply && reply->error) << heard[1];
        EXPECT_EQ(heard[2], "closed");
    }
}

}  // namespace
}  // namespace sheaf::pool
