#pragma once

// Why: one suite runs over every loop. A World offers the same things, a file, a stream, a place to
// connect to, made by the kernel or by the simulation.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "io/pool_loop.h"
#include "io/sim_loop.h"
#include "io/uring_loop.h"

namespace sheaf::io {

class World {
  public:
    static constexpr std::uint64_t file_size = 1 << 20;

    virtual ~World() = default;
    virtual Loop& loop() = 0;
    virtual Fd file() = 0;                   // file_size bytes of zeros
    virtual std::pair<Fd, Fd> stream() = 0;  // both ends read and write
    virtual Fd listen(const sockaddr_un& address) = 0;
    virtual Fd socket() = 0;

    // An address that nobody else uses at the same time.
    static sockaddr_un address(const std::string& name) {
        auto address = sockaddr_un{.sun_family = AF_UNIX, .sun_path = {}};
        const auto text = "sheaf-io-test-" + std::to_string(::getpid()) + name;
        std::memcpy(address.sun_path + 1, text.data(), text.size());  // abstract: no file is left
        return address;
    }
    static const sockaddr* generic(const sockaddr_un& address) {
        return std::bit_cast<const sockaddr*>(&address);
    }
};

class KernelWorld final : public World {
  public:
    explicit KernelWorld(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
    Loop& loop() override { return *loop_; }
    Fd file() override {
        auto file = Fd{::memfd_create("io-test", MFD_CLOEXEC)};
        EXPECT_EQ(::ftruncate(file.get(), file_size), 0);
        return file;
    }
    std::pair<Fd, Fd> stream() override {
        auto ends = std::array<int, 2>{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        return {Fd{ends[0]}, Fd{ends[1]}};
    }
    Fd listen(const sockaddr_un& address) override {
        auto listener = socket();
        EXPECT_EQ(::bind(listener.get(), generic(address), sizeof(address)), 0);
        EXPECT_EQ(::listen(listener.get(), 8), 0);
        return listener;
    }
    Fd socket() override { return Fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)}; }

  private:
    std::unique_ptr<Loop> loop_;
};

class SimWorld final : public World {
  public:
    SimWorld() : loop_(SimLoop::create(1).value()) {}
    SimLoop& loop() override { return *loop_; }
    Fd file() override { return loop_->open(disk_).value(); }
    std::pair<Fd, Fd> stream() override { return loop_->network().connection().value(); }
    Fd listen(const sockaddr_un& address) override {
        return loop_->network().listen(generic(address), sizeof(address)).value();
    }
    Fd socket() override { return loop_->network().socket().value(); }

  private:
    SimDisk disk_{file_size, 2};
    std::unique_ptr<SimLoop> loop_;
};

inline std::unique_ptr<World> make_world(LoopKind kind) {
    switch (kind) {
        case LoopKind::io_uring:
            // Few entries, so that a full submission queue is nothing special in these tests.
            return std::make_unique<KernelWorld>(UringLoop::create(8).value());
        case LoopKind::thread_pool:
            return std::make_unique<KernelWorld>(PoolLoop::create(3).value());
        case LoopKind::simulated: break;
    }
    return std::make_unique<SimWorld>();
}

// The suite's fixture: TEST_P(OverLoops, ...) runs with each kind of loop.
class OverLoops : public testing::TestWithParam<LoopKind> {
  protected:
    bool simulated() const { return GetParam() == LoopKind::simulated; }
    std::unique_ptr<World> world_ = make_world(GetParam());
    Loop& loop_ = world_->loop();
};

inline auto every_loop() {
    return testing::Values(LoopKind::io_uring, LoopKind::thread_pool, LoopKind::simulated);
}
inline std::string loop_name(const testing::TestParamInfo<LoopKind>& info) {
    return to_string(info.param);
}

}  // namespace sheaf::io
