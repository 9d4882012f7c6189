#pragma once

// Why: one history of a volume, from the first write to the last crash, as volume_run.cpp and
// volume_requests.cpp tell it together.

#include <memory>
#include <optional>

#include "base/units.h"
#include "io/sim_random.h"
#include "io/task_group.h"
#include "sim/volume_run.h"

namespace sheaf::sim {

class VolumeHistory {
  public:
    explicit VolumeHistory(const VolumeRunOptions& options)
        : options_(options),
          random_(options.seed),
          size_((2 + options.seed % 5) * 1_MiB + options.seed % 3 * 12_KiB),
          world_(options.seed, size_, data_capacity()),
          model_(size_ / SectorModel::sector_size) {}

    VolumeRunResult run() {
        auto outcome = io::run(world_.loop(), lives());
        if (!outcome && result_.violation.empty())
            result_.violation = "the run ended: " + outcome.error().text();
        result_.trace = world_.loop().trace();
        result_.coverage.refused = refused_ ? 1 : 0;
        result_.coverage.broken_metadata_writes = world_.broken_writes();
        return std::move(result_);
    }

  private:
    struct Place {
        std::uint64_t offset;
        std::uint64_t length;
        SectorModel::Range sectors() const {
            return {offset / SectorModel::sector_size,
                    (offset + length) / SectorModel::sector_size};
        }
    };

    std::uint64_t data_capacity() {
        // Now and then a host that has less room than the volume would need.
        return random_.chance(0.2) ? size_ / 2 / 128_KiB * 128_KiB + 256_KiB : size_ + 4_MiB;
    }
    bool violated() const { return !result_.violation.empty(); }
    bool over() const { return violated() || refused_; }
    void damaged(const Error& error, const char* what);
    void violate(std::string text) {
        if (!violated()) result_.violation = std::move(text);
    }

    io::Task<void> lives();
    io::Task<void> open();
    io::Task<void> one_life();
    io::Task<void> end_life();
    io::Task<void> verify();
    io::Task<void> verify_block(std::uint64_t offset);
    io::Task<void> heal(std::uint64_t offset);
    void flip_bits();
    void close_books();
    void set_faults();
    void start_step();

    io::Task<void> write(Place place);
    enum class Zeroing : std::uint8_t { zero, discard };
    io::Task<void> zero(Place place, Zeroing zeroing);
    io::Task<void> read(Place place);
    io::Task<void> flush();
    io::Task<void> checkpoint();
    Place draw_place(std::uint64_t unit);
    void failed(const Error& error, const char* what);

    VolumeRunOptions options_;
    io::SimRandom random_;
    std::uint64_t size_;
    VolumeWorld world_;
    SectorModel model_;
    std::unique_ptr<volume::Volume> volume_;
    std::optional<io::TaskGroup> requests_;  // of this life
    Version last_version_ = 0;
    bool map_may_be_hit_ = false;
    bool refused_ = false;     // what was hit was noticed, and the history ends there
    std::uint64_t flips_ = 0;  // not yet found or overwritten, at most
    std::uint64_t flips_found_ = 0;
    VolumeRunResult result_;
};

}  // namespace sheaf::sim
