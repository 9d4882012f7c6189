#pragma once

// Why: controllers run over a simulated store whose way can be cut at any request, as a process
// that is killed there would leave it.

#include <gtest/gtest.h>

#include "api/kinds.h"
#include "control/conditions.h"
#include "control/controller_manager.h"
#include "control/event_recorder.h"
#include "io/sim_loop.h"
#include "sim/sim_kv.h"

namespace sheaf::control {

class SetClock final : public WallClock {
  public:
    explicit SetClock(io::Loop& loop) : loop_(loop), began_(loop.now()) {}
    TimePoint now() const override {
        const auto passed = loop_.now() - began_;
        return TimePoint{std::chrono::seconds{1'800'000'000}} +
               std::chrono::floor<std::chrono::microseconds>(passed);
    }

  private:
    io::Loop& loop_;
    io::TimePoint began_;
};

// What a process may still do before it is killed: each effect takes one.
struct Lifetime {
    std::uint64_t left = UINT64_MAX;
    std::uint64_t used = 0;
    bool over() const { return left == 0; }

    // Whether the next effect takes place, and whether its doer hears of it.
    struct Fate {
        bool happens;
        bool is_heard;
    };
    // The last one takes place, and is not heard of.
    Fate next() {
        if (left == 0) return {false, false};
        ++used;
        return {true, --left != 0};
    }
};

// A store of a process that ends: what is asked after its end is not done.
class MortalKv final : public kv::Kv {
  public:
    MortalKv(kv::Kv& store, Lifetime& life) : store_(store), life_(life) {}

    io::Task<std::optional<kv::Record>> get(std::string key) override {
        return live(store_.get(std::move(key)));
    }
    io::Task<kv::Page> list(kv::ListRequest request) override {
        return live(store_.list(std::move(request)));
    }
    io::Task<kv::Revision> commit(kv::Transaction transaction) override {
        return live(store_.commit(std::move(transaction)));
    }
    std::unique_ptr<kv::Watch> watch(std::string prefix, kv::Revision after) override {
        return store_.watch(std::move(prefix), after);
    }
    io::Task<kv::Lease> grant(std::chrono::seconds ttl) override { return live(store_.grant(ttl)); }
    io::Task<void> renew(kv::LeaseId lease) override { return store_.renew(lease); }
    io::Task<void> revoke(kv::LeaseId lease) override { return store_.revoke(lease); }
    io::Task<void> compact(kv::Revision revision) override { return store_.compact(revision); }
    io::Task<void> shut_down() override { return store_.shut_down(); }

  private:
    template <class T>
    io::Task<T> live(io::Task<T> work) {
        const auto fate = life_.next();
        if (!fate.happens) co_await fail(Kind::unavailable, "the process is dead");
        auto outcome = co_await std::move(work).result();
        if (!fate.is_heard) co_await fail(Kind::unavailable, "the process died");
        co_return co_await std::move(outcome);
    }

    kv::Kv& store_;
    Lifetime& life_;
};

// One process that runs reconcilers.
class Process {
  public:
    Process(io::Loop& loop, kv::Kv& kv, const WallClock& clock, Lifetime life = {})
        : loop_(loop),
          life_(life),
          kv_(kv, life_),
          objects_(kv_, clock, [this] { return random(); }),
          manager_(loop, client_, logger_) {}

    std::uint64_t random() { return last_random_ += 0x9e3779b97f4a7c15; }
    void add(Reconciler& reconciler, ControllerLimits limits = {}) {
        manager_.add(reconciler, [this] { return random(); }, limits);
    }
    Lifetime& life() { return life_; }
    ObjectClient& client() { return client_; }
    EventRecorder& events() { return events_; }
    ControllerManager& manager() { return manager_; }
    // Runs for so long, and is cut off then.
    io::Task<void> run_for(io::Duration time) {
        io::TaskGroup running;
        running.start(manager_.run());
        co_await loop_.sleep(time);
        running.cancel();
        co_await running.join();
    }

  private:
    io::Loop& loop_;
    Lifetime life_;
    MortalKv kv_;
    std::uint64_t last_random_ = 0;
    api::Objects objects_;
    ObjectClient client_{objects_};
    Logger logger_{2, LogLevel::error};
    EventRecorder events_{loop_, client_, logger_};
    ControllerManager manager_;
};

class ControlWorld : public testing::Test {
  protected:
    void SetUp() override { get(objects_.ensure_namespace("default")); }
    void TearDown() override { get(store_.shut_down()); }

    // What must work.
    template <class T>
    T get(io::Task<T> task) {
        auto result = io::run(*loop_, std::move(task));
        EXPECT_TRUE(result) << (result ? "" : result.error().text());
        if constexpr (!std::is_void_v<T>) return result ? *std::move(result) : T{};
    }
    Json create(const api::Kind& kind, std::string_view text) {
        return get(client_.create(kind, Json::parse(text).value()));
    }
    std::optional<Json> read(const api::Kind& kind, std::string name,
                             std::string name_space = "default") {
        ObjectKey key{kind.namespaced() ? std::move(name_space) : "", std::move(name)};
        return get(client_.get(kind, std::move(key)));
    }
    void remove(const api::Kind& kind, std::string name) {
        ObjectKey key{kind.namespaced() ? "default" : "", std::move(name)};
        get(client_.remove(kind, std::move(key), {}));
    }
    // "True", "False", "Unknown"; empty where there is no such condition.
    std::string condition(const api::Kind& kind, const std::string& name, std::string_view type) {
        const auto object = read(kind, name);
        const auto* status = object ? object->find("status") : nullptr;
        const auto* found = status ? find_condition(*status, type) : nullptr;
        return found ? std::string{found->text_at({"status"})} : "";
    }
    std::string reason(const api::Kind& kind, const std::string& name, std::string_view type) {
        const auto object = read(kind, name);
        const auto* status = object ? object->find("status") : nullptr;
        const auto* found = status ? find_condition(*status, type) : nullptr;
        return found ? std::string{found->text_at({"reason"})} : "";
    }

    std::unique_ptr<io::SimLoop> loop_ = io::SimLoop::create(7).value();
    sim::SimStore store_{*loop_};
    sim::SimKv kv_{*loop_, store_, 1};
    SetClock clock_{*loop_};
    std::uint64_t last_random_ = 0;
    api::Objects objects_{kv_, clock_, [this] { return last_random_ += 0x9e3779b97f4a7c15; }};
    ObjectClient client_{objects_};
};

}  // namespace sheaf::control
