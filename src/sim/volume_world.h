#pragma once

// Why: the host of simulated volumes: their files on simulated disks that break together, so that a
// power cut takes all of them at one instant.

#include <array>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "io/sim_loop.h"
#include "storage/volume/volume.h"

namespace sheaf::sim {

class VolumeWorld {
  public:
    // The disks of the first volume, its first layer among them.
    enum class Part : std::uint8_t { first_journal, second_journal, intent, map, data };
    static constexpr std::size_t parts = 5;
    using Number = std::size_t;  // of a volume
    static constexpr Number first = 0;

    VolumeWorld(std::uint64_t seed, std::uint64_t volume_size, std::uint64_t data_capacity);
    // One of several hosts in one simulation, whose loop is destroyed first.
    VolumeWorld(io::SimLoop& loop, std::uint64_t seed, std::uint64_t volume_size,
                std::uint64_t data_capacity);

    io::SimLoop& loop() { return *loop_; }
    const WallClock& clock() const { return clock_; }
    io::SimDisk& disk(Part part);
    // The data of the layer that the volume writes, by the layer's id.
    io::SimDisk& data(const volume::Id& layer) { return *layers_.at(layer).data; }
    void set_faults(const io::SimDisk::Faults& faults);
    // Writes so far that were lost or landed elsewhere.
    std::uint64_t broken_writes() const;
    void power_cut();
    void power_on();
    // Another each time the host starts.
    volume::Id boot() const;

    // One more volume, to be created over `base`, on which it has claims from now on.
    Number add(std::uint64_t size, std::vector<volume::LayerEntry> base);
    // The volume is gone, and so are its claims.
    void drop(Number number);
    // Claims that a crash left and that no table tells of.
    void end_other_claims(Number number, const std::vector<volume::LayerEntry>& layers);
    // How many claims the volume has.
    std::size_t claims(Number number) const;
    bool shared(Number number, const volume::Id& layer) const;
    // How often the engine of the first volume has ended one.
    std::uint64_t claims_ended() const { return claims_ended_; }

    // The files, opened anew, of all layers that the volume has a claim on.
    Result<volume::Files> open(Number number = first);
    const volume::Shape& shape(Number number = first) const { return volumes_.at(number)->shape; }
    void set_base(std::vector<volume::LayerEntry> base);
    volume::LayerStore& store(Number number = first) { return volumes_.at(number)->store; }

  private:
    // The time of day goes with the simulated one.
    class Clock final : public WallClock {
      public:
        explicit Clock(const io::Loop& loop) : loop_(loop) {}
        TimePoint now() const override {
            return TimePoint{
                std::chrono::floor<std::chrono::microseconds>(loop_.now().time_since_epoch())};
        }

      private:
        const io::Loop& loop_;
    };
    // A volume's share of the host.
    class Store final : public volume::LayerStore {
      public:
        Store(VolumeWorld& world, Number number) : world_(world), number_(number) {}
        io::Task<volume::LayerFiles> create(volume::Id layer) override;
        io::Task<void> release(volume::Id layer) override;
        io::Task<bool> shared(volume::Id layer) override;

      private:
        io::Task<void> take_time();
        VolumeWorld& world_;
        Number number_;
    };
    struct VolumeOnDisks {
        VolumeOnDisks(VolumeWorld& world, Number number) : store(world, number) {}
        std::array<io::SimDisk*, 3> disks{};
        volume::Shape shape;
        Store store;
    };
    struct LayerOnDisks {
        io::SimDisk* map = nullptr;
        io::SimDisk* data = nullptr;
        std::set<Number> claims;
    };

    io::SimDisk* add_disk(std::uint64_t capacity);
    Result<volume::LayerFiles> open_layer(const volume::Id& id);
    void add_layer(const volume::Id& id, Number number);

    std::uint64_t seed_;
    std::uint64_t data_capacity_;
    // What was ever there: an engine may still read what is gone.
    std::vector<std::unique_ptr<io::SimDisk>> disks_;
    std::unique_ptr<io::SimLoop> own_loop_;
    io::SimLoop* loop_;
    Clock clock_;
    std::vector<std::unique_ptr<VolumeOnDisks>> volumes_;
    std::map<volume::Id, LayerOnDisks> layers_;
    std::uint64_t claims_ended_ = 0;
    io::SimDisk::Faults faults_;
    io::SimRandom random_;
    bool powered_ = true;
    std::uint8_t starts_ = 1;
};

}  // namespace sheaf::sim
