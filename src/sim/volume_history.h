#pragma once

// Why: one history of a volume, from the first write to the last crash, as volume_run.cpp,
// volume_requests.cpp and volume_layers.cpp tell it together.

#include <list>
#include <map>
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
          model_((size_ + most_growth) / SectorModel::sector_size) {}

    VolumeRunResult run();

  private:
    static constexpr std::uint64_t most_growth = 2_MiB;
    struct Place {
        std::uint64_t offset;
        std::uint64_t length;
        SectorModel::Range sectors() const {
            return {offset / SectorModel::sector_size,
                    (offset + length) / SectorModel::sector_size};
        }
    };
    // What is known of a snapshot.
    struct Book {
        SectorModel model;
        std::uint64_t size = 0;
        bool certain = false;  // else it may be there or not, as the next life will show
    };
    using Books = std::map<std::string, Book>;

    std::uint64_t data_capacity() {
        // Now and then a host that has less room than the volume would need.
        small_ = random_.chance(0.2);
        return small_ ? size_ / 2 / 128_KiB * 128_KiB + 256_KiB : size_ + most_growth + 4_MiB;
    }
    bool violated() const { return !result_.violation.empty(); }
    bool over() const { return violated() || refused_; }
    void damaged(const Error& error, const char* what);
    void violate(std::string text) {
        if (!violated()) result_.violation = std::move(text);
    }
    volume::Options engine_options() const;

    // volume_run.cpp
    io::Task<void> lives();
    io::Task<void> open();
    io::Task<void> one_life();
    io::Task<void> end_life();
    void close_books();
    void set_faults();
    void start_step();
    void start_request();
    void lose_power();

    // volume_requests.cpp
    io::Task<void> verify();
    io::Task<void> verify_block(std::uint64_t offset);
    void flip_bits();
    io::Task<void> write(Place place);
    enum class Zeroing : std::uint8_t { zero, discard };
    io::Task<void> zero(Place place, Zeroing zeroing);
    io::Task<void> read(Place place);
    io::Task<void> flush();
    io::Task<void> checkpoint();
    Place draw_place(std::uint64_t unit);
    void failed(const Error& error, const char* what);
    static void fill(std::span<std::byte> bytes, SectorModel::Range sectors, Version version);

    // volume_layers.cpp
    void start_layer_step();
    void start_delete(std::string name);
    void failed_to_change();
    io::Task<void> take_time();
    io::Task<void> refuse_superblocks();
    void set_error_at_start(double probability);
    io::Task<void> flush_and_lose_power();
    io::Task<void> make_base();
    io::Task<void> take_snapshot();
    io::Task<void> delete_snapshot(std::string name);
    io::Task<void> read_snapshot(std::string name, std::uint64_t reads);
    io::Task<void> revert(std::string name);
    io::Task<void> resize();
    io::Task<void> flatten();
    io::Task<void> clone(std::string name);
    io::Task<void> use_clone(VolumeWorld::Number number, SectorModel model, std::uint64_t size);
    io::Task<void> use_block(storage::Block& block, SectorModel& model, std::uint64_t size,
                             unsigned requests);
    io::Task<void> settle_books();
    io::Task<void> verify_snapshot(std::string name, Book& book);
    io::Task<void> check_layers();
    io::Task<void> check_extents();
    std::optional<std::string> draw_snapshot();
    volume::Id head_of(const volume::Volume& volume) const;

    VolumeRunOptions options_;
    io::SimRandom random_;
    bool small_ = false;
    std::uint64_t size_;
    VolumeWorld world_;
    SectorModel model_;
    Books books_;
    std::list<Books::node_type> deleted_;  // that a view may still be read of
    std::optional<std::string> reverting_to_;
    volume::Id reverting_from_{};  // the head before, which is another one if that came to be
    bool powered_ = true;
    bool quiet_wanted_ = false;  // nothing new is asked until what runs is over
    unsigned last_snapshot_ = 0;
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
