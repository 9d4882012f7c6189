#pragma once

// Why: one history of a replicated volume, as cluster_run.cpp, cluster_requests.cpp and
// cluster_engines.cpp tell it together.

#include <list>
#include <optional>

#include "base/units.h"
#include "sim/cluster_host.h"
#include "sim/cluster_run.h"

namespace sheaf::sim {

class ClusterHistory {
  public:
    explicit ClusterHistory(const ClusterRunOptions& options);
    ClusterRunResult run();

  private:
    static constexpr Place hosts = 3;   // with copies
    static constexpr Place places = 5;  // where engines run: there, and beside
    struct Span {
        std::uint64_t offset;
        std::uint64_t length;
        SectorModel::Range sectors() const {
            return {offset / SectorModel::sector_size,
                    (offset + length) / SectorModel::sector_size};
        }
    };
    // A process that has the volume open, or is about to.
    struct Engine final : replica::Ways {
        Engine(ClusterHistory& its_history, Place where);
        io::Task<std::unique_ptr<replica::Replica>> open(std::string node) override;
        ClusterHistory& history;
        Place place;
        SimKv kv;
        std::unique_ptr<replica::ReplicatedVolume> volume;
        bool starting = false;
        std::uint64_t life = 0;  // in which it began to serve
        io::TaskGroup activation;
        io::TaskGroup requests;
    };

    bool violated() const { return !result_.violation.empty(); }
    void violate(std::string text) {
        if (!violated()) result_.violation = std::move(text);
    }

    // cluster_run.cpp
    io::Task<void> live();
    io::Task<void> set_up();
    void start_step();
    void start_request(Engine& engine);
    io::Task<void> trouble();
    void break_network();
    void break_store();
    io::Task<void> break_host();
    io::Task<void> bring_host_back(Place place, io::Duration after);
    io::Task<void> heal_later(Place from, Place to, io::Duration after);
    io::Task<void> restore_store_later(io::Duration after);
    io::Task<void> wind_up();
    io::Task<void> read_all(Engine& engine);
    io::Task<void> compare_copies();
    io::Task<bool> wait_for(bool (ClusterHistory::*condition)());
    bool serves();
    bool all_in_sync();
    io::Duration draw_time(io::Duration least, io::Duration most) {
        return random_.between(least, most);
    }

    // cluster_requests.cpp
    Span draw_span(std::uint64_t grain);
    io::Task<void> write(Engine& engine, Span span);
    io::Task<void> zero(Engine& engine, Span span);
    io::Task<void> read(Engine& engine, Span span);
    io::Task<void> flush(Engine& engine);
    void failed(const Engine& engine, const Error& error);

    // cluster_engines.cpp
    void start_engine();
    io::Task<void> activate(Engine& engine);
    void began_to_serve(Engine& engine);
    io::Task<void> end_engine(Engine& engine);
    io::Task<void> forget_ended();
    Engine* serving();
    static std::string name_of(Place place);

    ClusterRunOptions options_;
    io::SimRandom random_;
    std::uint64_t size_;
    Fd log_;
    Logger logger_;
    std::list<ClusterHost> hosts_;
    std::unique_ptr<io::SimLoop> loop_;
    std::unique_ptr<SimStore> store_;
    std::unique_ptr<ClusterNetwork> network_;
    SectorModel model_;
    std::vector<ClusterHost*> host_;
    std::list<Engine> engines_;  // the last one is the newest
    io::TaskGroup events_;
    std::uint64_t life_ = 0;          // of the volume, from one engine to the next
    std::uint64_t newest_epoch_ = 0;  // of those that served
    std::uint64_t losses_ = 0;        // that the record knew then
    bool calm_ = false;               // nothing breaks any more
    Version last_version_ = 0;
    ClusterRunResult result_;
};

}  // namespace sheaf::sim
