#pragma once

// Why: tests of an engine among copies that are cut off, killed and slow on purpose, one after the
// other, where a drawn history would seldom come upon just that.

#include <sys/mman.h>

#include <gtest/gtest.h>

#include "base/units.h"
#include "sim/cluster_host.h"
#include "storage/aligned_buffer.h"
#include "storage/replica/remote_replica.h"
#include "storage/replica/replicated_volume.h"

namespace sheaf::replica {

// Three hosts with copies, and a fourth one beside them that has the engine.
class EngineWorld : public testing::Test, protected Ways {
  protected:
    static constexpr sim::Place copies = 3;
    static constexpr sim::Place beside = copies;

    explicit EngineWorld(std::uint64_t size) : size_(size) {
        NewMembership wanted;
        wanted.size = size;
        wanted.minimum = 2;
        for (sim::Place place = 0; place < copies; ++place) {
            hosts_.emplace_back(sim::ClusterHost::Setting{.loop = *loop_,
                                                          .store = store_,
                                                          .logger = logger_,
                                                          .seed = place,
                                                          .size = size,
                                                          .volume = "disk",
                                                          .id = {},
                                                          .mutation = {}});
            EXPECT_TRUE(run(host(place).make()));
            EXPECT_TRUE(run(host(place).start()));
            wanted.nodes.push_back(name_of(place));
        }
        wanted.id = host(0).volume().id();
        kv::Transaction transaction;
        transaction.writes.push_back(
            {membership_key("disk"), encode_membership(create(wanted).value()), 0});
        EXPECT_TRUE(run(kv_.commit(std::move(transaction))));
    }
    void TearDown() override {
        end_engine();
        for (auto& host : hosts_)
            if (host.running()) EXPECT_TRUE(run(host.stop(sim::ClusterHost::End::kill)));
        EXPECT_TRUE(run(store_.shut_down()));
        loop_.reset();
    }

    // Over the network, or not at all while that is cut.
    io::Task<std::unique_ptr<Replica>> open(std::string node) override {
        sim::Place place = 0;
        while (name_of(place) != node) ++place;
        auto ends = co_await network_.connect(beside, place);
        if (!host(place).running()) co_await fail(Kind::unavailable, "nobody listens at {}", node);
        host(place).serve(std::move(ends.there), Caller{});
        Hello hello;
        hello.volume = host(place).volume().id();
        hello.node = name_of(beside);
        co_return co_await RemoteReplica::open(*loop_, std::move(ends.here), std::move(hello));
    }
    ReplicatedVolume& activate(EngineOptions options = {}) {
        options.volume = "disk";
        options.node = name_of(beside);
        options.instance = 1;
        auto opened = run(ReplicatedVolume::open(*loop_, kv_, *this, options));
        EXPECT_TRUE(opened) << opened.error().text();
        engine_ = *std::move(opened);
        return *engine_;
    }

    void end_engine() {
        if (engine_) EXPECT_TRUE(run(engine_->abandon()));
        engine_.reset();
    }

    template <class T>
    Result<T> run(io::Task<T> task) {
        return io::run(*loop_, std::move(task));
    }
    kv::Kv& kv() { return kv_; }
    sim::ClusterHost& host(sim::Place place) { return *std::next(hosts_.begin(), place); }
    static std::string name_of(sim::Place place) { return fmt::format("node-{}", place); }
    void cut(sim::Place place) {
        network_.cut(beside, place);
        network_.cut(place, beside);
    }
    void heal(sim::Place place) {
        network_.heal(beside, place);
        network_.heal(place, beside);
    }
    void kill(sim::Place place) { EXPECT_TRUE(run(host(place).stop(sim::ClusterHost::End::kill))); }
    void start(sim::Place place) { EXPECT_TRUE(run(host(place).start())); }
    void pass(io::Duration time) { EXPECT_TRUE(run(sleep(time))); }
    // Whether the engine comes to be so, in time.
    bool becomes(bool (*so)(const ReplicatedVolume&), io::Duration time) {
        const auto deadline = loop_->now() + time;
        while (!so(*engine_) && loop_->now() < deadline) pass(step);
        return so(*engine_);
    }
    // Whether all in the group is done, in time; else it is asked to end.
    bool ends(io::TaskGroup& group) {
        return run(io::within(*loop_, std::chrono::minutes{1}, end_of(group))).has_value();
    }
    io::Task<void> write(std::uint64_t offset, std::uint8_t value) {
        storage::AlignedBuffer buffer{4_KiB};
        std::ranges::fill(buffer.bytes(), std::byte{value});
        const iovec piece{buffer.bytes().data(), buffer.bytes().size()};
        co_await engine_->write(offset, std::span{&piece, 1});
    }
    // What the copy itself has there.
    std::uint8_t value_at(sim::Place place, std::uint64_t offset) {
        storage::AlignedBuffer buffer{4_KiB};
        const iovec piece{buffer.bytes().data(), buffer.bytes().size()};
        EXPECT_TRUE(run(host(place).volume().read(offset, std::span{&piece, 1})));
        return std::to_integer<std::uint8_t>(buffer.bytes().front());
    }
    std::uint64_t size() const { return size_; }

  private:
    static constexpr auto step = std::chrono::milliseconds{10};

    static io::Task<void> end_of(io::TaskGroup& group) { co_await group.join(); }
    io::Task<void> sleep(io::Duration time) { co_await loop_->sleep(time); }

    std::uint64_t size_;
    Fd log_{::memfd_create("log", MFD_CLOEXEC)};
    Logger logger_{log_.get(), LogLevel::info};
    std::list<sim::ClusterHost> hosts_;
    std::unique_ptr<io::SimLoop> loop_ = io::SimLoop::create(1).value();
    sim::SimStore store_{*loop_};
    sim::SimKv kv_{*loop_, store_, 1};
    sim::ClusterNetwork network_{*loop_};
    std::unique_ptr<ReplicatedVolume> engine_;
};

}  // namespace sheaf::replica
