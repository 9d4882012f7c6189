#include "storage/volume/layer_map.h"

#include <gtest/gtest.h>

#include "io/sim_loop.h"
#include "io/task_group.h"
#include "storage/volume/map_geometry.h"

namespace sheaf::volume {
namespace {

constexpr std::uint64_t in_second_directory = fan_out;

class LayerMaps : public testing::Test {
  protected:
    LayerMaps() { disk.set_capacity(8 << 20); }

    File file() { return File::create(*loop, loop->open(disk).value()).value(); }
    void open(Pointer root = {}) { map = std::make_unique<LayerMap>(file(), Id{3}, root, cache); }
    template <class T>
    T run(io::Task<T> task) {
        auto outcome = io::run(*loop, std::move(task));
        EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().text());
        if constexpr (!std::is_void_v<T>) return outcome ? std::move(*outcome) : T{};
    }
    io::Task<void> change_it(std::uint64_t number, std::uint32_t slot) {
        auto page = co_await map->page(number);
        page->entry(0).slot = slot;
        map->changed_checksums(*page);
    }
    void change(std::uint64_t number, std::uint32_t slot) { run(change_it(number, slot)); }
    io::Task<std::uint32_t> read_slot(std::uint64_t number) {
        auto page = co_await map->page(number);
        co_return page->entry(0).slot;
    }
    io::Task<void> expect_slot(std::uint64_t number, std::uint32_t slot) {
        const auto found = co_await read_slot(number);
        EXPECT_EQ(found, slot);
    }
    LayerMap::Checkpoint write_checkpoint() {
        auto checkpoint = map->capture();
        run(map->write(checkpoint, ++sequence));
        return checkpoint;
    }
    Pointer store() {
        auto checkpoint = write_checkpoint();
        const auto root = checkpoint.pointer;
        map->adopt(std::move(checkpoint));
        return root;
    }
    bool present(std::uint64_t number) {
        return run(map->next_present(number, number + 1)) == number;
    }
    static io::Task<void> join(io::TaskGroup& group) { co_await group.join(); }

    std::unique_ptr<io::SimLoop> loop = io::SimLoop::create(7).value();
    io::SimDisk disk{0, 8};
    PageCache cache{2};
    std::unique_ptr<LayerMap> map;
    std::uint64_t sequence = 0;
};

TEST_F(LayerMaps, KeepNoMoreThanTheCacheHasRoomFor) {
    open();
    for (const std::uint64_t number : {0, 1, 256, 257, 512}) {
        change(number, static_cast<std::uint32_t>(number) + 7);
        store();
    }
    for (const std::uint64_t number : {512, 0, 257, 1, 256, 0}) {
        EXPECT_EQ(run(read_slot(number)), number + 7);
        EXPECT_LE(cache.pages.size(), 2u);
        EXPECT_EQ(cache.directories.size(), 1u);
    }
}

TEST_F(LayerMaps, AreReadOnceByManyWhoWantTheSame) {
    open();
    change(0, 1);
    change(1, 2);
    const auto root = store();
    open(root);
    const auto began = disk.requests();
    io::TaskGroup readers;
    for (int reader = 0; reader < 8; ++reader) {
        readers.start(expect_slot(0, 1));
        readers.start(expect_slot(1, 2));
    }
    run(join(readers));
    EXPECT_EQ(disk.requests() - began, 5u);  // root, branch, directory, two pages of slots
}

TEST_F(LayerMaps, TellEverybodyWhoWaitsOfAFailure) {
    open();
    change(0, 1);
    const auto root = store();
    open(root);
    disk.set_faults({.error = 1});
    EXPECT_FALSE(io::run(*loop, read_slot(0)));
    EXPECT_FALSE(io::run(*loop, map->next_present(0, 1)));
    disk.set_faults({});
    EXPECT_EQ(run(read_slot(0)), 1u);
}

// While a directory is read slowly a checkpoint writes the next version of it, which is forgotten
// again before the reading ends: what was read is not what counts.
TEST_F(LayerMaps, DoNotKeepADirectoryThatACheckpointHasReplaced) {
    open();
    change(0, 1);
    change(in_second_directory, 2);
    store();
    change(7, 3);
    auto checkpoint = write_checkpoint();
    EXPECT_TRUE(present(in_second_directory));  // in place of the first directory
    disk.set_faults(
        {.least_delay = std::chrono::seconds{1}, .most_delay = std::chrono::seconds{1}});
    io::TaskGroup slow;
    slow.start(expect_slot(1, 0));
    disk.set_faults({});
    map->adopt(std::move(checkpoint));
    EXPECT_TRUE(present(in_second_directory));
    run(expect_slot(in_second_directory, 2));
    run(expect_slot(in_second_directory + 1, 0));  // page 7 is in memory no more
    EXPECT_EQ(map->find(7), nullptr);
    run(join(slow));
    EXPECT_TRUE(present(7));
    EXPECT_EQ(run(read_slot(7)), 3u);
}

}  // namespace
}  // namespace sheaf::volume
