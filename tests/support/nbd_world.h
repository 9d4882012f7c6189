#pragma once

// Why: a server, its disk and its clients in one simulated loop.

#include <sys/mman.h>
#include <sys/un.h>
#include <unistd.h>

#include <bit>
#include <memory>
#include <string>

#include "io/sim_loop.h"
#include "storage/nbd/server.h"
#include "support/memory_disk.h"
#include "support/nbd_client.h"

namespace sheaf::test {

class NbdWorld final : public nbd::Exports {
  public:
    static constexpr std::uint64_t disk_size = 4_MiB;

    explicit NbdWorld(std::uint64_t seed = 1, std::uint64_t size = disk_size,
                      const nbd::Server::Limits& limits = {})
        : loop_(io::SimLoop::create(seed).value()),
          disk(*loop_, size),
          log_(::memfd_create("log", MFD_CLOEXEC)),
          logger_(log_.get(), LogLevel::info),
          server(*loop_, *this, logger_, limits),
          listener_(loop_->network().listen(generic(), sizeof(address)).value()) {}

    io::SimLoop& loop() { return *loop_; }
    // Serves while `script` runs, which is then told how the server ended.
    Result<void> run(io::Task<void> script) { return io::run(*loop_, play(std::move(script))); }
    io::Task<std::unique_ptr<NbdClient>> connect() {
        auto socket = co_await loop_->network().socket();
        co_await loop_->connect(socket.get(), generic(), sizeof(address));
        co_return std::make_unique<NbdClient>(*loop_, std::move(socket));
    }
    std::string log() const {
        std::string text(65536, '\0');
        const auto length = ::pread(log_.get(), text.data(), text.size(), 0);
        text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
        return text;
    }
    std::size_t log_lines() const {
        return static_cast<std::size_t>(std::ranges::count(log(), '\n'));
    }

    // Exports: "disk" and the empty name, "disk@then" read-only, "broken" that cannot be opened.
    std::vector<nbd::Listed> list() override {
        return {{"disk", "a disk"}, {"disk@then", "as it was then"}};
    }
    io::Task<nbd::Export> open(std::string name) override {
        if (name == "broken") co_await fail(Kind::corrupt, "broken: does not open");
        if (name != "disk" && name != "disk@then" && !name.empty())
            co_await fail(Kind::not_found, "no export \"{}\"", name);
        nbd::Export exported;
        exported.name = name.empty() ? "disk" : name;
        exported.description = "a disk";
        exported.block = &disk;
        exported.extents = &disk;
        exported.read_only = name == "disk@then";
        exported.fast_zero_unit = MemoryDisk::unit;
        exported.lease = std::make_unique<Open>(open_exports);
        if (!exported.read_only) exported.changes.push_back({"then", &disk});
        co_return exported;
    }

    std::size_t open_exports = 0;

  private:
    class Open final : public nbd::Lease {
      public:
        explicit Open(std::size_t& count) : count_(++count) {}
        Open(const Open&) = delete;
        Open& operator=(const Open&) = delete;
        ~Open() override { --count_; }

      private:
        std::size_t& count_;
    };

    static constexpr sockaddr_un address{.sun_family = AF_UNIX, .sun_path = "nbd"};
    static const sockaddr* generic() { return std::bit_cast<const sockaddr*>(&address); }

    io::Task<void> play(io::Task<void> script) {
        serving_.start(server.serve(listener_.get()));
        auto outcome = co_await std::move(script).result();
        server.stop();
        co_await serving_.join();
        co_await std::move(outcome);
    }

    std::unique_ptr<io::SimLoop> loop_;

  public:
    MemoryDisk disk;

  private:
    Fd log_;
    Logger logger_;

  public:
    nbd::Server server;

  private:
    Fd listener_;
    io::TaskGroup serving_;
};

}  // namespace sheaf::test
