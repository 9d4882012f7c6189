#include "storage/image/table_cache.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "io/sim_loop.h"
#include "io/task_group.h"

namespace sheaf::image {
namespace {

class Tables : public testing::Test {
  protected:
    static constexpr std::uint64_t size = 10000;  // no whole slice at the end

    Tables() {
        std::vector<std::byte> content(size);
        for (std::uint64_t at = 0; at < size; at += 4)
            store(std::span{content}.subspan(at), static_cast<std::uint32_t>(at));
        disk.set_content(std::move(content));
    }
    io::Task<void> look(std::uint64_t offset) {
        const auto bytes = co_await cache.from(offset);
        value = load<std::uint32_t>(bytes);
        length = bytes.size();
    }
    io::Task<void> look_and_check(std::uint64_t offset) {
        const auto bytes = co_await cache.from(offset);
        EXPECT_EQ(load<std::uint32_t>(bytes), offset);
    }
    io::Task<void> look_everywhere() {
        io::TaskGroup group;
        for (std::uint64_t offset = 0; offset < size; offset += 500)
            group.start(look_and_check(offset));
        co_await group.join();
    }

    io::SimDisk disk{0, 1};
    std::unique_ptr<io::SimLoop> loop = io::SimLoop::create(1).value();
    volume::File file = volume::File::create(*loop, loop->open(disk).value()).value();
    TableCache cache{file, size, 1024, 2};
    std::uint32_t value = 0;
    std::size_t length = 0;
};

TEST_F(Tables, GiveWhatTheFileHas) {
    for (const std::uint64_t offset : {0, 4, 1020, 1024, 9996, 4096, 2048, 0}) {
        ASSERT_TRUE(io::run(*loop, look(offset)));
        EXPECT_EQ(value, offset);
        EXPECT_EQ(length, std::min<std::uint64_t>(1024 - offset % 1024, size - offset));
    }
}

TEST_F(Tables, WhatIsKeptIsNotReadAgain) {
    ASSERT_TRUE(io::run(*loop, look(100)));
    disk.set_content(std::vector<std::byte>(size));
    ASSERT_TRUE(io::run(*loop, look(200)));
    EXPECT_EQ(value, 200u);
    ASSERT_TRUE(io::run(*loop, look(2048)));  // the same place
    ASSERT_TRUE(io::run(*loop, look(200)));
    EXPECT_EQ(value, 0u);
}

TEST_F(Tables, ManyMayLookAtOnce) {
    EXPECT_TRUE(io::run(*loop, look_everywhere()));
}

TEST_F(Tables, AnErrorLeavesNothingThatLooksLikeATable) {
    disk.set_faults({.error = 1});
    EXPECT_FALSE(io::run(*loop, look(100)));
    disk.set_faults({});
    ASSERT_TRUE(io::run(*loop, look(100)));
    EXPECT_EQ(value, 100u);
}

}  // namespace
}  // namespace sheaf::image
