#pragma once

// Why: a host of a simulated cluster that has one copy: its disks, the engine of its volume, the
// server, its way to the store; and what a crash leaves of them.

#include <map>

#include "sim/cluster_network.h"
#include "sim/sim_kv.h"
#include "sim/volume_world.h"
#include "storage/replica/replica_server.h"

namespace sheaf::sim {

class ClusterHost final : public replica::Copies {
  public:
    struct Setting {
        io::SimLoop& loop;
        SimStore& store;
        const Logger& logger;
        std::uint64_t seed = 0;
        std::uint64_t size = 0;  // of the volume
        std::string volume;      // its name
        volume::Id id{};         // and its id
        replica::Mutation mutation{};
    };

    // The loop is destroyed before this.
    explicit ClusterHost(const Setting& setting);

    // The copy as it is on the disks, all zeros.
    io::Task<void> make();
    io::Task<void> start();
    bool running() const { return copy_ != nullptr; }
    void serve(std::unique_ptr<io::ByteStream> stream, replica::Caller caller);
    replica::LocalReplica* find(const volume::Id& volume);
    io::Task<std::unique_ptr<replica::CopyUse>> open(volume::Id volume, std::string node) override;
    // Its copy is there from the beginning, for good.
    io::Task<void> create(replica::CopyRequest wanted, std::uint64_t size) override;
    io::Task<void> remove(replica::CopyRequest gone) override;
    std::unique_ptr<replica::Replica> session() { return copy_->session(); }

    enum class End : std::uint8_t { power_cut, kill, clean };
    io::Task<void> stop(End end);
    // How often it has ended otherwise than cleanly.
    std::uint64_t crashes() const { return crashes_; }
    // Whether the copy may have lost something since it had this incarnation.
    bool broken_since(std::uint64_t incarnation) const;

    std::size_t sessions() const { return server_ ? server_->serving() : 0; }
    SimKv& kv() { return kv_; }
    VolumeWorld& world() { return world_; }
    volume::Volume& volume() { return *volume_; }

  private:
    class Use;

    Setting setting_;
    VolumeWorld world_;
    SimKv kv_;
    replica::RecordedAuthority authority_;
    std::unique_ptr<volume::Volume> volume_;
    std::unique_ptr<replica::LocalReplica> copy_;
    std::unique_ptr<replica::ReplicaServer> server_;
    std::uint64_t crashes_ = 0;
    // Of each incarnation, how many crashes there were when it was first seen.
    std::map<std::uint64_t, std::uint64_t> crashes_by_;
};

}  // namespace sheaf::sim
