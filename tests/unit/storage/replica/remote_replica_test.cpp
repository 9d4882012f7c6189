// Both ends over a real socket, and a volume in real files.

#include "storage/replica/remote_replica.h"

#include <sys/socket.h>

#include "io/make_loop.h"
#include "storage/replica/server_session.h"
#include "unit/storage/volume/volume_fixture.h"

namespace sheaf::replica {
namespace {

class OneUse final : public CopyUse {
  public:
    explicit OneUse(LocalReplica& copy) : copy_(copy) {}
    LocalReplica& copy() override { return copy_; }

  private:
    LocalReplica& copy_;
};

class OneCopy final : public Copies, public Authority {
  public:
    explicit OneCopy(LocalReplica& copy) : copy_(copy) {}
    io::Task<std::unique_ptr<CopyUse>> open(volume::Id /*volume*/, std::string /*node*/) override {
        co_return std::make_unique<OneUse>(copy_);
    }
    io::Task<void> create(CopyRequest wanted, std::uint64_t size) override {
        made.emplace_back(std::move(wanted), size);
        co_return;
    }
    io::Task<void> remove(CopyRequest gone) override {
        co_await fail(Kind::conflict, "{} is in use", gone.name);
    }
    io::Task<void> check(volume::Id /*volume*/, std::string /*node*/,
                         std::uint64_t /*epoch*/) override {
        co_return;
    }

    std::vector<std::pair<CopyRequest, std::uint64_t>> made;

  private:
    LocalReplica& copy_;
};

class RemoteReplicas : public volume::Volumes {
  protected:
    void SetUp() override {
        create();
        open();
        copy = std::make_unique<LocalReplica>(*loop, *volume);
    }
    void TearDown() override {
        copy.reset();
        shut_down();
    }

    std::unique_ptr<LocalReplica> copy;
};

std::array<Fd, 2> socket_pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    return {Fd{ends[0]}, Fd{ends[1]}};
}

io::Task<void> write_block(RemoteReplica& way, std::uint64_t number) {
    std::vector<std::byte> content(64 << 10, static_cast<std::byte>(number));
    co_await way.write({1, 1}, number * content.size(), content);
}

io::Task<void> converse(io::Loop& loop, LocalReplica& copy, bool breaks) {
    OneCopy one{copy};
    auto ends = socket_pair();
    const auto raw = ends[1].get();
    const ServerSession::Terms terms{one, one};
    auto below = std::make_unique<io::SocketStream>(loop, std::move(ends[0]));
    ServerSession session{loop, std::move(below), Caller{}, terms};
    io::TaskGroup serving;
    serving.start(session.serve());
    Hello hello;
    hello.node = "node-a";
    auto here = std::make_unique<io::SocketStream>(loop, std::move(ends[1]));
    const auto way = co_await RemoteReplica::open(loop, std::move(here), std::move(hello));
    const auto sealed = co_await way->seal(1, 1);
    EXPECT_EQ(sealed.size, copy.status().size);
    io::TaskGroup writing;
    for (std::uint64_t number = 0; number < 200; ++number) writing.start(write_block(*way, number));
    if (breaks) EXPECT_EQ(::shutdown(raw, SHUT_RDWR), 0);
    const auto written = co_await writing.join().result();
    EXPECT_EQ(written.has_value(), !breaks);
    if (!breaks) {
        co_await way->flush({1, 1});
        std::vector<std::byte> found(64 << 10);
        co_await way->read({1, 1}, 199 * found.size(), found);
        EXPECT_EQ(found.back(), std::byte{199});
    }
    co_await way->shut_down();
    static_cast<void>(co_await serving.join().result());  // it ended as its connection did
}

TEST_F(RemoteReplicas, CarryRequestsOverAUnixSocket) {
    const auto outcome = run(converse(*loop, *copy, false));
    EXPECT_TRUE(outcome) << outcome.error().text();
}

TEST_F(RemoteReplicas, FailWithTheirConnection) {
    const auto outcome = run(converse(*loop, *copy, true));
    EXPECT_TRUE(outcome) << outcome.error().text();
}

io::Task<void> ask_for_copies(io::Loop& loop, OneCopy& one) {
    CopyRequest request;
    request.volume = {1};
    request.node = "node-b";
    request.name = "disk";
    for (const auto makes : {true, false}) {
        auto ends = socket_pair();
        const ServerSession::Terms terms{one, one};
        auto below = std::make_unique<io::SocketStream>(loop, std::move(ends[0]));
        ServerSession session{loop, std::move(below), Caller{}, terms};
        io::TaskGroup serving;
        serving.start(session.serve());
        auto here = std::make_unique<io::SocketStream>(loop, std::move(ends[1]));
        auto asking = makes ? RemoteReplica::make_copy(loop, std::move(here), request, 1 << 20)
                            : RemoteReplica::remove_copy(loop, std::move(here), request);
        const auto asked = co_await std::move(asking).result();
        EXPECT_EQ(asked.has_value(), makes);
        if (!asked) EXPECT_EQ(asked.error().text(), "disk is in use");
        const auto ended = co_await serving.join().result();
        EXPECT_EQ(ended.has_value(), makes);
    }
    EXPECT_EQ(one.made.size(), 1U);
    EXPECT_EQ(one.made.at(0), (std::pair{request, std::uint64_t{1 << 20}}));
}

TEST_F(RemoteReplicas, AskForCopiesInConnectionsOfTheirOwn) {
    OneCopy one{*copy};
    const auto outcome = run(ask_for_copies(*loop, one));
    EXPECT_TRUE(outcome) << outcome.error().text();
}

}  // namespace
}  // namespace sheaf::replica
