#pragma once

// Why: tests of volumes through the kernel share a pool in a directory of its own.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "io/make_loop.h"
#include "storage/volume/volume.h"

namespace sheaf::volume {

using Bytes = std::vector<std::byte>;

inline Bytes pattern(std::size_t size, unsigned seed) {
    std::mt19937 random{seed};
    Bytes bytes(size);
    for (auto& byte : bytes) byte = std::byte(random());
    return bytes;
}

// As a pool opens them, past the page cache where the file system can.
inline Fd open_file(const std::filesystem::path& path, int past_the_cache = O_DIRECT) {
    constexpr auto flags = O_RDWR | O_CREAT | O_CLOEXEC;
    Fd opened{::open(path.c_str(), flags | past_the_cache, 0600)};
    return opened ? std::move(opened) : Fd{::open(path.c_str(), flags, 0600)};
}

inline std::string hexadecimal(const Id& id) {
    std::string text;
    for (const auto byte : id) text += fmt::format("{:02x}", byte);
    return text;
}

// Layers in a directory, all of one volume's.
class FolderStore final : public LayerStore {
  public:
    explicit FolderStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

    LayerFiles open(const Id& id) const {
        const auto home = folder_ / hexadecimal(id);
        std::filesystem::create_directories(home);
        LayerFiles files;
        files.id = id;
        files.map = open_file(home / "map");
        files.data = open_file(home / "data");
        struct stat status{};
        EXPECT_EQ(::fstat(files.data.get(), &status), 0);
        files.data_size = static_cast<std::uint64_t>(status.st_size);
        return files;
    }
    std::vector<LayerFiles> open_all() const {
        std::vector<LayerFiles> files;
        for (const auto& home : std::filesystem::directory_iterator{folder_}) {
            const auto name = home.path().filename().string();
            Id id{};
            for (std::size_t i = 0; i < id.size(); ++i)
                id.at(i) =
                    static_cast<std::uint8_t>(std::stoul(name.substr(2 * i, 2), nullptr, 16));
            files.push_back(open(id));
        }
        return files;
    }
    // Blocks that the files of all layers take on the host.
    std::uint64_t bytes_taken() const {
        auto bytes = std::uint64_t{0};
        for (const auto& home : std::filesystem::directory_iterator{folder_}) {
            struct stat status{};
            EXPECT_EQ(::stat((home.path() / "data").c_str(), &status), 0);
            bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
        }
        return bytes;
    }
    std::size_t count() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{folder_},
                                                      std::filesystem::directory_iterator{}));
    }

    io::Task<LayerFiles> create(Id layer) override { co_return open(layer); }
    io::Task<void> release(Id layer) override {
        if (!others.contains(layer)) std::filesystem::remove_all(folder_ / hexadecimal(layer));
        co_return;
    }
    io::Task<bool> shared(Id layer) override { co_return others.contains(layer); }

    std::set<Id> others;  // layers that another volume has a claim on

  private:
    std::filesystem::path folder_;
};

// A volume in a directory of its own, through the kernel.
class Volumes : public testing::Test {
  protected:
    static constexpr std::uint64_t size = 16 << 20;
    static constexpr auto layer = "layers/02000000000000000000000000000000";

    static std::filesystem::path new_folder() {
        std::string name = testing::TempDir() + "sheaf-volume-XXXXXX";
        return ::mkdtemp(name.data());
    }
    Volumes() {
        std::filesystem::create_directories(folder / "volumes/v");
        std::filesystem::create_directories(folder / layer);
    }
    ~Volumes() override { std::filesystem::remove_all(folder); }

    Fd file(const std::string& name, int past_the_cache = O_DIRECT) const {
        const auto* home = name == "map" || name == "data" ? layer : "volumes/v";
        return open_file(folder / home / name, past_the_cache);
    }
    // What a reader that is no part of Sheaf finds; empty where it refuses the volume.
    Bytes read_independently() const {
        const auto raw = folder / "raw";
        std::filesystem::remove(raw);
        const auto command = "python3 " SHEAF_SOURCE "/tests/support/volume_reader.py " +
                             folder.string() + " v --raw " + raw.string() + " >/dev/null 2>&1";
        if (std::system(command.c_str()) != 0) return {};
        std::ifstream stream{raw, std::ios::binary};
        const std::string text{std::istreambuf_iterator<char>{stream}, {}};
        const auto bytes = as_bytes(text);
        return {bytes.begin(), bytes.end()};
    }
    Files files() const {
        Files files;
        files.journal = {file("journal.0"), file("journal.1")};
        files.intent = file("intent");
        files.layers = store.open_all();
        return files;
    }
    static Shape shape(Checksums checksums = Checksums::on) {
        Shape shape;
        shape.size = size;
        shape.checksums = checksums;
        shape.id = Id{1};
        shape.head = Id{2};
        return shape;
    }
    Result<void> run(io::Task<void> task) { return io::run(*loop, std::move(task)); }
    void create(Checksums checksums = Checksums::on) {
        ASSERT_TRUE(run(Volume::create(*loop, files(), shape(checksums))));
    }
    io::Task<void> open_it() {
        Options options;
        options.boot = boot;
        volume = co_await Volume::open(*loop, files(), store, options);
    }
    void open() {
        const auto outcome = run(open_it());
        ASSERT_TRUE(outcome) << outcome.error().text();
    }
    io::Task<void> open_it_with_small_steps() {
        Options options;
        options.boot = boot;
        options.growth = {.segment = 8, .ahead = 2};
        options.most_clean_pages = 2;
        options.most_free_slots = 4;
        options.upkeep_interval = std::chrono::milliseconds{1};
        volume = co_await Volume::open(*loop, files(), store, options);
    }
    void open_with_small_steps() { ASSERT_TRUE(run(open_it_with_small_steps())); }
    io::Task<void> wait_until_taken_is_below(std::uint64_t bytes) {
        while (store.bytes_taken() >= bytes) co_await loop->sleep(std::chrono::milliseconds{1});
    }
    void shut_down() {
        const auto outcome = run(volume->shut_down());
        EXPECT_TRUE(outcome) << outcome.error().text();
        volume.reset();
    }
    void kill() {
        EXPECT_TRUE(run(volume->abandon()));
        volume.reset();
    }

    io::Task<void> write_it(std::uint64_t offset, std::span<const iovec> pieces) {
        co_await volume->write(offset, pieces);
    }
    Result<void> write(std::uint64_t offset, Bytes& bytes) {
        const iovec piece{bytes.data(), bytes.size()};
        return run(volume->write(offset, std::span{&piece, 1}));
    }
    Result<Bytes> read(std::uint64_t offset, std::size_t length) {
        Bytes bytes(length, std::byte{0xee});
        const iovec piece{bytes.data(), bytes.size()};
        TRY(run(volume->read(offset, std::span{&piece, 1})));
        return bytes;
    }
    void expect(std::uint64_t offset, const Bytes& bytes) {
        const auto found = read(offset, bytes.size());
        ASSERT_TRUE(found) << found.error().text();
        EXPECT_TRUE(*found == bytes) << "at " << offset;
    }

    std::filesystem::path folder = new_folder();
    FolderStore store{folder / "layers"};
    Id boot{7};
    std::unique_ptr<io::Loop> loop = io::make_loop().value();
    std::unique_ptr<Volume> volume;
};

}  // namespace sheaf::volume
