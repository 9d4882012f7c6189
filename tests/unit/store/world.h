#pragma once

// Why: one suite runs over every store. A World has a store that is reached by any number of
// clients, each of them a kv::Kv of its own.

#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "io/make_loop.h"
#include "io/time_limit.h"
#include "sim/sim_kv.h"
#include "store/open.h"
#include "store/sqlite_kv.h"
#include "support/etcd_cluster.h"

namespace sheaf::kv {

enum class StoreKind { simulated, sqlite, etcd };

inline std::string to_string(StoreKind kind) {
    switch (kind) {
        case StoreKind::simulated: return "simulated";
        case StoreKind::sqlite: return "sqlite";
        case StoreKind::etcd: break;
    }
    return "etcd";
}

class World {
  public:
    virtual ~World() = default;
    virtual io::Loop& loop() = 0;
    virtual std::unique_ptr<Kv> client() = 0;
    virtual void end() {}  // once all clients are shut down
};

class SimWorld final : public World {
  public:
    io::Loop& loop() override { return *loop_; }
    std::unique_ptr<Kv> client() override {
        return std::make_unique<sim::SimKv>(*loop_, store_, ++clients_);
    }
    void end() override { EXPECT_TRUE(io::run(*loop_, store_.shut_down())); }

  private:
    std::unique_ptr<io::SimLoop> loop_ = io::SimLoop::create(1).value();
    sim::SimStore store_{*loop_};
    std::uint64_t clients_ = 0;
};

// A folder of its own, gone afterwards.
class ScratchFolder {
  public:
    ScratchFolder() : path_("/tmp/sheaf-store-XXXXXX") {
        EXPECT_NE(::mkdtemp(path_.data()), nullptr);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

class SqliteWorld final : public World {
  public:
    io::Loop& loop() override { return *loop_; }
    std::unique_ptr<Kv> client() override {
        return io::run(*loop_, SqliteKv::open(*loop_, folder_.path() + "/store")).value();
    }

  private:
    ScratchFolder folder_;
    std::unique_ptr<io::Loop> loop_ = io::make_loop().value();
};

// One cluster for all tests of a program, which take some seconds to start.
class SharedCluster final : public testing::Environment {
  public:
    static test::EtcdCluster& get() {
        if (!started_) {
            folder_ = std::make_unique<ScratchFolder>();
            started_ = std::make_unique<test::EtcdCluster>(folder_->path());
        }
        return *started_;
    }
    void TearDown() override {
        started_.reset();
        folder_.reset();
    }

  private:
    static inline std::unique_ptr<ScratchFolder> folder_;
    static inline std::unique_ptr<test::EtcdCluster> started_;
};

// One that has been answered.
inline io::Task<std::unique_ptr<Kv>> answered(io::Loop& loop, std::unique_ptr<Kv> kv) {
    for (auto tries = 0;; ++tries) {
        const auto answer = co_await kv->get("is anybody there").result();
        if (answer) co_return std::move(kv);
        if (tries == 200) co_await Failure{answer.error()};
        co_await loop.sleep(std::chrono::milliseconds{50});
    }
}

// A client of the cluster.
inline io::Task<std::unique_ptr<Kv>> reach(io::Loop& loop, test::EtcdCluster& cluster) {
    const StoreLocation location{cluster.location(), cluster.client()};
    auto kv = co_await open_store(loop, location);
    co_return co_await answered(loop, std::move(kv));
}

class EtcdWorld final : public World {
  public:
    io::Loop& loop() override { return *loop_; }
    std::unique_ptr<Kv> client() override {
        return io::run(*loop_, reach(*loop_, SharedCluster::get())).value();
    }

  private:
    std::unique_ptr<io::Loop> loop_ = io::make_loop().value();
};

inline std::unique_ptr<World> make_world(StoreKind kind) {
    switch (kind) {
        case StoreKind::simulated: return std::make_unique<SimWorld>();
        case StoreKind::sqlite: return std::make_unique<SqliteWorld>();
        case StoreKind::etcd: break;
    }
    return std::make_unique<EtcdWorld>();
}

// TEST_P(OverStores, ...) runs with each kind of store. Keys of a test begin with its own prefix:
// a store may be shared by many tests, and its first revision is any.
class OverStores : public testing::TestWithParam<StoreKind> {
  protected:
    static constexpr std::chrono::seconds patience{10};

    void SetUp() override {
        if (GetParam() == StoreKind::etcd && !test::EtcdCluster::is_installed())
            GTEST_SKIP() << "needs etcd (Debian's etcd-server)";
        world_ = make_world(GetParam());
        kv_ = world_->client();
        other_ = world_->client();
    }
    void TearDown() override {
        for (auto* client : {&kv_, &other_})
            if (*client) EXPECT_TRUE(io::run(loop(), (*client)->shut_down()));
        if (world_) world_->end();
    }

    io::Loop& loop() { return world_->loop(); }
    Kv& kv() { return *kv_; }
    Kv& other() { return *other_; }  // another client
    std::string key(std::string_view name) const { return prefix_ + std::string{name}; }

    template <class T>
    Result<T> run(io::Task<T> task) {
        return io::run(loop(), io::within(loop(), patience, std::move(task)));
    }
    // What must work.
    template <class T>
    T get(io::Task<T> task) {
        auto result = run(std::move(task));
        EXPECT_TRUE(result) << (result ? "" : result.error().text());
        if constexpr (!std::is_void_v<T>) return result ? *std::move(result) : T{};
    }
    template <class T>
    Kind failure(io::Task<T> task) {
        auto result = run(std::move(task));
        EXPECT_FALSE(result);
        return result ? Kind::io : result.error().kind();
    }

    Revision put(std::string_view name, std::string_view value, LeaseId lease = 0) {
        Transaction transaction;
        transaction.writes.push_back({key(name), std::string{value}, lease});
        return get(kv().commit(std::move(transaction)));
    }
    Revision remove(std::string_view name) {
        Transaction transaction;
        transaction.writes.push_back({key(name), std::nullopt, 0});
        return get(kv().commit(std::move(transaction)));
    }
    std::vector<std::string> names(const Page& page) const {
        std::vector<std::string> found;
        for (const auto& record : page.records) found.push_back(record.key.substr(prefix_.size()));
        return found;
    }
    Revision now() { return get(kv().list({.prefix = prefix_, .after = "", .at = 0})).revision; }

    // Short, so that a message has all of a key.
    std::string prefix_ = fmt::format("/{}-{}/", ::getpid(), ++tests_);

  private:
    static inline int tests_ = 0;
    std::unique_ptr<World> world_;
    std::unique_ptr<Kv> kv_;
    std::unique_ptr<Kv> other_;
};

}  // namespace sheaf::kv
