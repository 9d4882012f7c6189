#pragma once

// Why: the host of a simulated volume: its files on simulated disks that break together, so that a
// power cut takes all of them at one instant.

#include <array>
#include <memory>
#include <vector>

#include "io/sim_loop.h"
#include "storage/volume/volume.h"

namespace sheaf::sim {

class VolumeWorld {
  public:
    // What the disks are to each other; data comes last.
    enum class Part : std::uint8_t { first_journal, second_journal, intent, map, data };
    static constexpr std::size_t parts = 5;

    VolumeWorld(std::uint64_t seed, std::uint64_t volume_size, std::uint64_t data_capacity);

    io::SimLoop& loop() { return *loop_; }
    io::SimDisk& disk(Part part) { return *disks_.at(static_cast<std::size_t>(part)); }
    void set_faults(const io::SimDisk::Faults& faults);
    // Writes so far that were lost or landed elsewhere.
    std::uint64_t broken_writes() const;
    void power_cut();
    void power_on();

    // The files, opened anew.
    Result<volume::Files> open();
    volume::Shape shape() const { return shape_; }

  private:
    std::unique_ptr<io::SimLoop> loop_;
    std::vector<std::unique_ptr<io::SimDisk>> disks_;
    volume::Shape shape_;
};

}  // namespace sheaf::sim
