#pragma once

// Why: tests of pools need one of their own, gone afterwards.

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "io/task_group.h"
#include "storage/pool/engine.h"
#include "storage/pool/held_layers.h"

namespace sheaf::pool {

class ScratchPool : public testing::Test {
  protected:
    ScratchPool() {
        std::string name = testing::TempDir() + "sheaf-pool-XXXXXX";
        folder = ::mkdtemp(name.data());
        pool = Pool::open_or_make(path()).value();
    }
    ~ScratchPool() override { std::filesystem::remove_all(folder); }

    std::string path() const { return (folder / "pool").string(); }
    Result<void> create(const std::string& name, std::uint64_t size = 16 << 20) {
        return io::run(*loop, create_volume(*loop, *pool, {.name = name, .size = size}));
    }
    Result<Holding> hold(const std::string& name) {
        return pool->hold(Shelf::volumes, name, "test");
    }
    Id layer_of(const std::string& name) { return hold(name)->layers()->at(0); }
    // All that is in the pool, as paths in it; files that only lock are left out.
    std::vector<std::string> everything() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator{path()})
            if (entry.path().filename() != "lock")
                found.push_back(std::filesystem::relative(entry.path(), path()).string());
        std::ranges::sort(found);
        return found;
    }
    void put(const std::string& name, const std::string& text = {}) const {
        std::ofstream{std::filesystem::path{path()} / name} << text;
    }

    std::filesystem::path folder;
    std::unique_ptr<Pool> pool;
    std::unique_ptr<io::Loop> loop = io::make_loop().value();
};

}  // namespace sheaf::pool
