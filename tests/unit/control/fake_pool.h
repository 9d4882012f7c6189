#pragma once

// Why: a pool in memory that takes time, fails when it is told to, and dies with its process.

#include "control/pool_service.h"
#include "unit/control/world.h"

namespace sheaf::control {

// What is kept, whichever process looks at it.
struct PoolState {
    struct Disk {
        std::uint64_t size = 0;
        std::string origin;
        std::set<std::string> snapshots;
        bool open = false;  // by a machine
    };
    std::map<std::string, Disk> volumes;
    std::map<std::string, DiskFacts> images;
    std::map<std::string, DiskFacts> kernels;
    std::map<std::string, int> created;  // how often, by name
    std::optional<Error> refuses_create;
    std::optional<Error> refuses_import;
    io::Duration import_time = std::chrono::milliseconds{20};
};

class FakePool final : public PoolService {
  public:
    FakePool(io::Loop& loop, PoolState& state, Lifetime& life)
        : loop_(loop), state_(state), life_(life) {}

    io::Task<std::optional<DiskFacts>> find_volume(std::string name) override {
        co_await look();
        const auto found = state_.volumes.find(name);
        if (found == state_.volumes.end()) co_return std::nullopt;
        DiskFacts facts;
        facts.size = found->second.size;
        co_return facts;
    }
    io::Task<std::optional<DiskFacts>> find_image(std::string name, ImageType type) override {
        co_await look();
        const auto& shelf = type == ImageType::kernel ? state_.kernels : state_.images;
        const auto found = shelf.find(name);
        if (found == shelf.end()) co_return std::nullopt;
        co_return found->second;
    }
    io::Task<void> create(NewDisk wanted) override {
        const auto fate = co_await effect();
        if (state_.refuses_create) co_await Failure{*state_.refuses_create};
        if (wanted.from) co_await find_origin(*wanted.from);
        if (state_.volumes.contains(wanted.name)) co_await fail(Kind::exists, "exists already");
        auto& made = state_.volumes[wanted.name];
        made.size = wanted.size;
        if (wanted.from) made.origin = wanted.from->text();
        ++state_.created[wanted.name];
        co_await heard(fate);
    }
    io::Task<void> grow(std::string volume, std::uint64_t size) override {
        const auto fate = co_await effect();
        state_.volumes.at(volume).size = size;
        co_await heard(fate);
    }
    io::Task<void> remove_volume(std::string name) override {
        const auto fate = co_await effect();
        const auto found = state_.volumes.find(name);
        if (found != state_.volumes.end() && found->second.open)
            co_await fail(Kind::conflict, "in use by a machine");
        state_.volumes.erase(name);
        co_await heard(fate);
    }
    io::Task<void> remove_image(std::string name, ImageType type) override {
        const auto fate = co_await effect();
        (type == ImageType::kernel ? state_.kernels : state_.images).erase(name);
        co_await heard(fate);
    }
    io::Task<void> take_snapshot(std::string volume, std::string name) override {
        const auto fate = co_await effect();
        if (!state_.volumes.contains(volume)) co_await fail(Kind::not_found, "no such volume");
        state_.volumes[volume].snapshots.insert(name);
        co_await heard(fate);
    }
    io::Task<void> remove_snapshot(std::string volume, std::string name) override {
        const auto fate = co_await effect();
        if (state_.volumes.contains(volume)) state_.volumes[volume].snapshots.erase(name);
        co_await heard(fate);
    }
    io::Task<void> import(NewImage wanted, ImportProgress& progress) override {
        const auto fate = co_await effect();
        if (state_.refuses_import) co_await Failure{*state_.refuses_import};
        progress.set({"fetching", 5 << 20, 0});
        co_await loop_.sleep(state_.import_time);
        progress.set({"copying", 1, 2});
        co_await loop_.sleep(state_.import_time);
        DiskFacts facts;
        facts.size = 4096;
        facts.sha256 = "aa";
        (wanted.type == ImageType::kernel ? state_.kernels : state_.images)[wanted.name] = facts;
        co_await heard(fate);
    }

  private:
    io::Task<void> look() {
        if (life_.over()) co_await fail(Kind::unavailable, "the process is dead");
        co_await loop_.sleep(std::chrono::milliseconds{1});
    }
    io::Task<Lifetime::Fate> effect() {
        const auto fate = life_.next();
        if (!fate.happens) co_await fail(Kind::unavailable, "the process is dead");
        co_await loop_.sleep(std::chrono::milliseconds{2});
        co_return fate;
    }
    io::Task<void> heard(Lifetime::Fate fate) {
        if (!fate.is_heard) co_await fail(Kind::unavailable, "the process died");
    }
    io::Task<void> find_origin(pool::Origin origin) {
        if (origin.shelf == pool::Shelf::images) {
            if (!state_.images.contains(origin.name)) co_await fail(Kind::not_found, "no image");
        } else if (!state_.volumes.contains(origin.name) ||
                   !state_.volumes[origin.name].snapshots.contains(origin.snapshot)) {
            co_await fail(Kind::not_found, "no such snapshot");
        }
    }

    io::Loop& loop_;
    PoolState& state_;
    Lifetime& life_;
};

}  // namespace sheaf::control
