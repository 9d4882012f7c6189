#pragma once

// Why: tests of one copy and its server, on a simulated host with a store, as an engine finds them.

#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/units.h"
#include "sim/cluster_host.h"
#include "storage/replica/remote_replica.h"

namespace sheaf::replica {

class ReplicaWorld : public testing::Test {
  protected:
    static constexpr std::uint64_t size = 2_MiB;

    ReplicaWorld() {
        const sim::ClusterHost::Setting setting{.loop = *loop_,
                                                .store = store_,
                                                .logger = logger_,
                                                .seed = 1,
                                                .size = size,
                                                .volume = "disk",
                                                .id = {},
                                                .mutation = {}};
        host_ = std::make_unique<sim::ClusterHost>(setting);
        EXPECT_TRUE(run(host_->make()));
        EXPECT_TRUE(run(host_->start()));
        id_ = host_->volume().id();
    }
    void TearDown() override {
        if (host_->running()) stop(sim::ClusterHost::End::kill);
        EXPECT_TRUE(run(store_.shut_down()));
        loop_.reset();
    }

    template <class T>
    Result<T> run(io::Task<T> task) {
        return io::run(*loop_, std::move(task));
    }
    io::SimLoop& loop() { return *loop_; }
    sim::ClusterHost& host() { return *host_; }
    LocalReplica& copy() { return *host_->find(id_); }
    void stop(sim::ClusterHost::End end) { EXPECT_TRUE(run(host_->stop(end))); }
    void restart(sim::ClusterHost::End end) {
        stop(end);
        EXPECT_TRUE(run(host_->start()));
    }

    // What the store says of who is engine.
    void record(std::uint64_t epoch, const std::string& engine) {
        Membership membership;
        membership.id = text_of(id_);
        membership.size = size;
        membership.epoch = membership.generation = epoch;
        membership.engine = engine;
        membership.members = {{"node-0", MemberState::in_sync, 0, 0}};
        kv::Transaction transaction;
        transaction.writes.push_back({membership_key("disk"), encode_membership(membership), 0});
        EXPECT_TRUE(run(host_->kv().commit(std::move(transaction))));
    }
    std::unique_ptr<io::ByteStream> dial(Caller caller = {}) {
        auto pair = loop_->network().connection().value();
        host_->serve(std::make_unique<io::SocketStream>(*loop_, std::move(pair.first)),
                     std::move(caller));
        return std::make_unique<io::SocketStream>(*loop_, std::move(pair.second));
    }
    Hello hello(std::string node = "node-a") const {
        Hello hello;
        hello.volume = id_;
        hello.node = std::move(node);
        return hello;
    }
    std::string log() const {
        std::string text(65536, '\0');
        const auto length = ::pread(log_.get(), text.data(), text.size(), 0);
        text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
        return text;
    }

  private:
    Fd log_{::memfd_create("log", MFD_CLOEXEC)};
    Logger logger_{log_.get(), LogLevel::info};
    std::unique_ptr<sim::ClusterHost> host_;
    std::unique_ptr<io::SimLoop> loop_ = io::SimLoop::create(1).value();
    sim::SimStore store_{*loop_};
    volume::Id id_{};
};

}  // namespace sheaf::replica
