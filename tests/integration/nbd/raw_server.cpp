// Serves a raw file by NBD until it is told to end: what the tools of others see here is the server
// alone, without a volume behind it.
//
//     nbd_raw_server FILE SOCKET [readonly]

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "io/make_loop.h"
#include "node/keeper.h"
#include "storage/disk_file.h"
#include "storage/file_block.h"
#include "storage/nbd/listener.h"
#include "storage/nbd/server.h"

namespace sheaf {
namespace {

// What the host's file system knows of a file. Only looks.
class FileExtents final : public storage::Extents {
  public:
    explicit FileExtents(int file) : file_(file) {}

    io::Task<std::vector<storage::Extent>> extents(std::uint64_t offset, std::uint64_t length,
                                                   std::size_t most) override {
        std::vector<storage::Extent> found;
        const auto end = offset + length;
        while (offset < end && found.size() < most) {
            const auto data = seek(offset, SEEK_DATA, end);
            const auto hole = data > offset ? data : seek(offset, SEEK_HOLE, end);
            const auto kind =
                data > offset ? storage::Extent::Kind::hole : storage::Extent::Kind::data;
            found.push_back({hole - offset, kind});
            offset = hole;
        }
        co_return found;
    }

  private:
    std::uint64_t seek(std::uint64_t offset, int whence, std::uint64_t end) const {
        const auto place = ::lseek(file_, static_cast<off_t>(offset), whence);
        return place < 0 ? end : std::min(static_cast<std::uint64_t>(place), end);
    }

    int file_;
};

class OneFile final : public nbd::Exports {
  public:
    OneFile(storage::Block& block, storage::Extents& extents, bool read_only)
        : block_(block), extents_(extents), read_only_(read_only) {}

    std::vector<nbd::Listed> list() override { return {{"raw", "a raw file"}}; }
    io::Task<nbd::Export> open(std::string name) override {
        if (!name.empty() && name != "raw") co_await fail(Kind::not_found, "no export {}", name);
        nbd::Export exported;
        exported.name = "raw";
        exported.description = "a raw file";
        exported.block = &block_;
        exported.extents = &extents_;
        exported.read_only = read_only_;
        co_return exported;
    }

  private:
    storage::Block& block_;
    storage::Extents& extents_;
    bool read_only_;
};

io::Task<void> wait_for_a_signal(io::Loop& loop, int signals, nbd::Server& server) {
    std::array<std::byte, 128> signal{};
    co_await loop.read_stream(signals, signal);
    server.stop();
}

io::Task<void> serve(io::Loop& loop, nbd::Exports& exports, int listener, int signals) {
    const Logger logger{STDERR_FILENO, LogLevel::info};
    nbd::Server server{loop, exports, logger};
    io::TaskGroup serving;
    io::TaskGroup waiting;
    serving.start(server.serve(listener));
    waiting.start(wait_for_a_signal(loop, signals, server));
    auto outcome = co_await serving.join().result();
    waiting.cancel();
    static_cast<void>(co_await waiting.join().result());
    co_await std::move(outcome);
}

Result<void> run(std::span<char*> arguments) {
    if (arguments.size() < 3) return fail(Kind::invalid, "FILE SOCKET [readonly]");
    const auto read_only = arguments.size() > 3;
    auto loop = TRY(io::make_loop());
    const auto signals = TRY(node::open_signals());
    std::signal(SIGPIPE, SIG_IGN);
    auto file = TRY(storage::open_disk(
        arguments[1], read_only ? storage::Access::read_only : storage::Access::read_write));
    FileExtents extents{file.get()};
    const auto block = TRY(storage::FileBlock::create(*loop, std::move(file)));
    OneFile exports{*block, extents, read_only};
    const auto listener = TRY(nbd::Listener::at_path(arguments[2]));
    std::puts("ready");
    std::fflush(stdout);
    return io::run(*loop, serve(*loop, exports, listener.descriptor(), signals.get()));
}

}  // namespace
}  // namespace sheaf

int main(int count, char** arguments) {
    const auto outcome = sheaf::run({arguments, static_cast<std::size_t>(count)});
    if (outcome) return 0;
    std::fprintf(stderr, "nbd_raw_server: %s\n", outcome.error().text().c_str());
    return 1;
}
